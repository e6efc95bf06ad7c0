"""The buttons for one invitation and one effect: on the candidate's page and in the list."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.invitations.models.invitation import Invitation
from tests.pages.activity.test_candidate_filters import candidate, invited
from tests.support import factories
from tests.support.page_text import text

HELD = "/activity/?status=held"
INSTANCE = "12fa7e25-1111-4222-8333-444455556666"


def links(page: str) -> list[str]:
    """Return the addresses of the links of a page that lead to an act on chosen rows."""
    return [unescape(one) for one in re.findall(r'href="(/candidates/bulk/[^"]*)"', page)]


@pytest.mark.parametrize(
    ("act", "status"), [("invitation-approve", "pending"), ("invitation-cancel", "withdrawn")]
)
def test_one_on_hold_is_sent_or_cancelled_unless_it_was_sent_meanwhile(
    organization_admin_client, organization, act, status
):
    invited(organization, "Alder", "held")
    address = reverse(act, args=[Invitation.objects.get().pk])
    assert address in text(organization_admin_client.get("/activity/o-alder/"))
    for before, after in (("held", status), ("invited", "invited")):
        Invitation.objects.update(status=before, instance_id="i-1", stopped_by_user=False)
        organization_admin_client.post(address, {"only_unsent": "1"})
        assert Invitation.objects.get().status == after


def test_an_uncertain_invitation_is_resolved_by_the_candidates_link(organization_admin_client, organization):
    sent = invited(organization, "Alder", "uncertain")
    address = reverse("invitation-sent", args=[sent.pk])
    page = text(organization_admin_client.post(address, follow=True))
    assert "Give the candidate&#x27;s link or id" in page
    seen = {"instance_id": f"https://app.codescreen.com/client-result/7/{INSTANCE}?x=1"}
    organization_admin_client.post(address, seen)
    sent.refresh_from_db()
    assert (sent.status, sent.instance_id) == ("invited", INSTANCE)


def test_a_failed_effect_is_retried_by_a_team_member(
    team_member_client, limited_member, limited_member_client, organization
):
    candidate(organization, "Alder", status="completed", outcome="Passed")
    effect = factories.EffectFactory.create(
        organization=organization,
        opportunity_id="o-alder",
        state="failed",
        due_at=None,
        last_error="Lever said no.",
    )
    factories.on_candidate(organization, "o-alder", limited_member.email)
    assert "Lever said no." in text(team_member_client.get("/activity/o-alder/?show=technical"))
    for address in ("/activity/?view=attention", "/activity/o-alder/"):
        assert "Retry" in text(team_member_client.get(address))
        assert "Retry" not in text(limited_member_client.get(address))
    attention = text(team_member_client.get("/activity/?view=attention"))
    assert "Not done: Leave note" in attention
    assert "act=retry" in attention
    team_member_client.post(reverse("effect-retry", args=[effect.pk]))
    assert "act=retry" not in text(team_member_client.get("/activity/?view=attention"))


def test_inviting_again_begins_a_new_round_after_confirmation(organization_admin_client, organization):
    invitation = invited(organization, "Alder", "completed")
    page = reverse("candidate", args=["o-alder"])
    assert "/again/" in text(organization_admin_client.get(page))
    url = reverse("invitation-again", args=[invitation.pk])
    answer = organization_admin_client.post(url, {"reason": "Interrupted."}, follow=True)
    assert "Round 2 begins" in text(answer)
    page = text(organization_admin_client.get(page))
    assert "Interrupted." in page
    assert "/again/" not in page, "the later round is where one goes on"
    assert "already exists" in text(organization_admin_client.post(url, follow=True))


@pytest.mark.parametrize(("name", "value"), [("status", "held"), ("view", "attention")])
def test_the_row_is_about_the_earlier_invitation_that_waits(
    organization_admin_client, organization, name, value
):
    row = candidate(organization, "Alder", status="invited")
    earlier = factories.InvitationFactory.create(
        organization=organization,
        opportunity_id="o-alder",
        assessment_id="earlier",
        status="held",
        created_at=timezone.now() - timedelta(days=2),
    )
    page = text(organization_admin_client.get("/activity/", {name: value}))
    assert "On hold" in page
    [send] = links(page)
    assert send.endswith(f"act=send&candidate={row.pk}&{name}={value}")
    rows = organization_admin_client.get("/candidates/bulk/", {"act": "send", "all": "1", name: value})
    assert [one.key for one in rows.context["rows"]] == [earlier.pk]
    assert [one.key for one in organization_admin_client.get(send).context["rows"]] == [earlier.pk]
    assert row.invitation is not None
    assert links(text(organization_admin_client.get("/activity/"))) == []
    assert (
        organization_admin_client.get("/candidates/bulk/", {"act": "send", "all": "1"}).context["rows"] == []
    )
