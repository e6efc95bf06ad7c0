"""The card at the top of a candidate's page."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from tests.pages.activity.test_candidate_filters import invited
from tests.pages.candidate import histories
from tests.support import factories
from tests.support.page_text import text

PAGE = "/activity/o-alder/"


@pytest.fixture
def held(organization) -> Invitation:
    """An invitation on hold, with its candidate."""
    return invited(organization, "Alder", "held")


@pytest.mark.parametrize("reason", ["Has another offer.", ""])
def test_an_invitation_that_is_cancelled_is_called_so_with_who_and_why(
    super_admin_client, super_admin, held, reason
):
    assert "Cancel invitation</button>" in text(super_admin_client.get(PAGE))
    answer = super_admin_client.post(
        f"/invitations/{held.pk}/cancel/", {"next": PAGE, "reason": reason}, follow=True
    )
    page = text(answer)
    assert "Cancelled: nothing is sent." in page
    assert answer.context["card"].title == "Cancelled"
    by = f"By {super_admin.username}"
    assert answer.context["card"].why == (f"{by}: {reason}" if reason else f"{by}.")
    assert [step.label for step in answer.context["steps"] if step.is_current] == ["Cancelled"]
    again = "To send it after all, move the candidate out of the stage and back in."
    assert answer.context["card"].next_step == f"Nothing was sent. {again}"  # as the note in Lever says
    for shown in (page, text(super_admin_client.get("/activity/"))):
        assert "Cancelled" in shown
        assert "Withdrawn" not in shown


@pytest.mark.parametrize(
    ("verdicts", "title"),
    [
        (["left_stage", "not_a_trigger_stage"], "left the stage"),
        (["not_a_trigger_stage"], "not a CodeScreen stage"),
    ],
)
def test_the_card_tells_of_a_stage_that_sends_nothing_only_where_nothing_else_is_known(
    super_admin_client, organization, verdicts, title
):
    made = histories.History(organization, "alder", timezone.now() - timedelta(minutes=9))
    for verdict in verdicts:
        made.moved(verdict, "")
    assert super_admin_client.get(PAGE).context["card"].title == f"Not invited: {title}"


def test_what_else_codescreen_says_is_on_the_card_and_with_earlier_invitations(
    organization, super_admin_client
):
    address = histories.make(organization, "passed")
    assert "Details from CodeScreen" not in text(super_admin_client.get(address))
    Result.objects.update(
        details_json='{"plagiarismCheckPassed": false, "sentAt": "2026-12-01T08:38:34Z", '
        '"<b>note</b>": "<script>alert(1)</script>", "failed": ["a", 2], "startBy": "2026-12-08T12:14:01Z", '
        '"endsOn": "2026-02-31T00:00:00Z", "since": "0001-01-01T00:00:00+14:00"}'
    )
    page = super_admin_client.get(address)
    assert page.context["card"].details == [
        ("Plagiarism check passed", "no", None),
        ("<b>note</b>", "<script>alert(1)</script>", None),
        ("Failed", '["a", 2]', None),
        ("Start by", "", datetime(2026, 12, 8, 12, 14, 1, tzinfo=UTC)),
        ("Ends on", "2026-02-31T00:00:00Z", None),
        ("Since", "0001-01-01T00:00:00+14:00", None),
    ]
    assert "8 Dec 2026, 12:14" in text(page)
    assert "<script>alert(1)" not in page.content.decode()
    assert "Details from CodeScreen" in text(page)
    factories.InvitationFactory.create(organization=organization, opportunity_id="o-passed", round=2)
    assert "Details from CodeScreen" in text(super_admin_client.get(address))
