"""The first candidate after the set-up: what to do, and their journey as it happens."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.pages.overview.first_candidate import SHOWN_FOR, first_candidate
from tests.support import factories
from tests.support.page_text import text


def done(organization) -> list[str]:
    return [step.label for step in first_candidate(organization, []).steps if step.state == "is-done"]


def part(client) -> str:
    return text(client.get("/", headers={"X-Live-Part": "checklist"}))


def test_the_page_says_what_to_do_in_lever_and_why_a_stage_change_invited_nobody(
    super_admin_client, ready_organization
):
    page = part(super_admin_client)
    assert "Turn on “Candidate Stage Change”" in page
    assert "Move them into “CodeScreen Assessment”" in page
    assert "Nobody has been moved yet." in page
    delivery = factories.DeliveryFactory.create(
        organization=ready_organization,
        verdict="no_email",
        explanation="The candidate has no e-mail address in Lever.",
        decided_at=timezone.now(),
        due_at=None,
    )
    page = part(super_admin_client)
    assert "The latest stage change: The candidate has no e-mail address in Lever. Add an e-mail" in page
    assert reverse("candidate", args=[delivery.opportunity_id]) in page
    assert "Turn on “Candidate Stage Change”" not in page


def test_each_step_of_the_first_journey_shows_as_it_happens(super_admin_client, ready_organization):
    now = timezone.now()
    invitation = factories.InvitationFactory.create(organization=ready_organization, status="pending")
    assert done(ready_organization) == ["Moved"]
    Invitation.objects.update(status="invited", instance_id="i-1", invited_at=now)
    assert done(ready_organization) == ["Moved", "Invited"]
    own = {"organization": ready_organization, "invitation": invitation, "due_at": None, "done_at": now}
    factories.EffectFactory.create(kind="set_progress_tag", state="done", **own)
    Invitation.objects.update(started_at=now)
    assert done(ready_organization) == ["Moved", "Invited", "Tag written", "Started"]
    Result.objects.create(invitation=invitation, score=80)
    page = part(super_admin_client)
    assert page.count('class="is-done"') == 5
    factories.EffectFactory.create(kind="write_feedback", state="done", **own)
    assert "The first candidate has gone all the way." in part(super_admin_client)
    assert "first candidate" not in text(super_admin_client.get("/"))


def test_a_first_journey_that_takes_long_no_longer_stands_on_the_overview(
    super_admin_client, ready_organization
):
    factories.InvitationFactory.create(organization=ready_organization, status="invited", instance_id="i-1")
    assert "The first candidate" in text(super_admin_client.get("/"))
    Invitation.objects.update(created_at=timezone.now() - SHOWN_FOR - timedelta(minutes=1))
    assert "The first candidate" not in text(super_admin_client.get("/"))
