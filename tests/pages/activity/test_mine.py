"""My candidates: a member lists those they are on in Lever, with every other filter, and in the file too."""

import pytest
from django.urls import reverse

from integrations.members.models.membership import Membership
from integrations.queue.models.duty_run import Duty, DutyRun
from tests.pages.activity.test_candidate_filters import candidate, shown
from tests.support import factories
from tests.support.page_text import text


@pytest.fixture
def mine(ready_organization, super_admin):
    """Two candidates on hold, and one who wasn't invited; the Super Admin is on one of each kind."""
    rows = [
        candidate(ready_organization, "Alder", status="held"),
        candidate(ready_organization, "Birch", status="held"),
        candidate(ready_organization, "Cedar", verdict="no_email"),
    ]
    for row in (rows[0], rows[2]):
        factories.on_candidate(ready_organization, row.opportunity_id, super_admin.email)
    return rows


def test_the_button_lists_the_members_own_with_every_other_filter_and_in_the_file(
    super_admin_client, super_admin, mine, ready_organization
):
    answer = super_admin_client.post(reverse("candidates-mine"), follow=True)
    assert answer.redirect_chain[-1][0] == "/activity/?mine=1"
    assert sorted(one.name for one in answer.context["page"]) == ["Alder", "Cedar"]
    assert super_admin.email in text(answer)
    assert Membership.objects.get(user=super_admin).lists_own
    assert DutyRun.objects.filter(duty=Duty.SWEEP_FULLY, organization=ready_organization).exists()
    assert "Everybody's candidates" in text(answer)
    assert shown(super_admin_client, mine="1", status="held") == ["Alder"]
    assert shown(super_admin_client, mine="1", q="Cedar") == ["Cedar"]
    assert shown(super_admin_client, mine="1", q="Birch") == []
    assert super_admin_client.get("/activity/?mine=1").context["needs_attention"] == 2
    file = super_admin_client.get("/candidates/export/?mine=1").getvalue().decode()
    assert "Alder" in file
    assert "Birch" not in file
