"""The page of one candidate: what is at the top in each state, its links and acts, and who may see and do what."""

import pytest
from django.urls import reverse

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.privacy.models import Erasure
from tests.pages.candidate import histories
from tests.support import factories
from tests.support.page_text import text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            "passed",
            [
                "4 of 4",
                "/help/results/#rating",
                histories.REPORT,
                "Onsite interview",
                "Nothing to do. The result is in Lever",
            ],
        ),
        (
            "failed",
            ["Unit Tests", "The feedback could not be written", "presses “Retry” under “Written to Lever”"],
        ),
        (
            "expired",
            ["None: without a score there is no rating", "For another try, an Admin presses “Send again”"],
        ),
        ("unstated", ["attempt 2", "CodeScreen gave no Passed or Failed"]),
        ("not-invited", [histories.UNKNOWN, "Invite to…", "/preview/?candidate="]),
        ("held", [histories.ON_HOLD, "Send now", "Cancel invitation"]),
        ("uncertain", ["Settle it", "Cancel invitation"]),
        ("in-progress", ["Next attempt", "lever answered 503"]),
        ("three-rounds", ["Other invitations", "sent the assessment again: “They asked for it.”"]),
        ("erased", ["Erased person", "The words were erased"]),
    ],
)
def test_a_candidate_is_shown_in_each_state(organization, super_admin_client, state, words):
    page = text(super_admin_client.get(histories.make(organization, state)))
    for word in words:
        assert word in page
    assert page.count('aria-current="step"') == 1


def test_the_page_links_to_lever_and_to_the_report(settings, organization, super_admin_client):
    settings.LEVER_API_URL = "https://api.lever.co/v1"
    passed, expired = (
        text(super_admin_client.get(histories.make(organization, state))) for state in ("passed", "expired")
    )
    assert 'href="https://hire.lever.co/candidates/o-passed"' in passed
    assert f'href="{histories.REPORT}"' in passed
    assert "Open in CodeScreen" not in expired


def test_a_stage_change_after_the_invitation_is_told_when_it_led_to_nothing(organization, super_admin_client):
    address = histories.make(organization, "expired")
    since = Invitation.objects.get().changed_at
    made = histories.History(organization, "expired", since)
    Invitation.objects.update(followed_since=made.now)
    made.moved("already_invited", "The candidate already has “Backend”.", Invitation.objects.get())
    page = text(super_admin_client.get(address))
    assert "Moved again since: Already invited" in page
    assert "The candidate already has “Backend”." in page
    assert "No new invitation: already invited" in page
    Invitation.objects.update(followed_since=made.now)  # the move let it count again
    assert "Moved again since" not in text(super_admin_client.get(address))


def test_a_deletion_in_lever_is_told_as_no_move(organization, super_admin_client):
    address = histories.make(organization, "expired")
    made = histories.History(organization, "expired", Invitation.objects.get().changed_at)
    made.moved("erased", "The candidate was deleted in Lever.")
    Delivery.objects.filter(verdict="erased").update(event="candidateDeleted")
    page = text(super_admin_client.get(address))
    assert "Deleted in Lever" in page
    assert "Moved again since" not in page
    assert "Not invited" not in page
    assert "Open in Lever" in page
    Erasure.objects.create(**made.own, cause="deleted")
    assert "Open in Lever" not in text(super_admin_client.get(address))


def test_an_opportunity_id_with_a_slash_has_a_page(super_admin_client, organization):
    factories.InvitationFactory.create(organization=organization, opportunity_id="a/b")
    page = text(super_admin_client.get(reverse("candidate", args=["a/b"])))
    assert "/candidates/a%2Fb" in page


def test_other_applications_of_the_person_are_shown_to_who_sees_them(
    organization, super_admin_client, limited_member, limited_member_client
):
    for number in (1, 2):
        own = {"organization": organization, "opportunity_id": f"o-{number}", "email": "alder@x.example"}
        factories.CandidateFactory.create(**own)
        factories.InvitationFactory.create(**own)
    factories.on_candidate(organization, "o-1", limited_member.email)
    address = reverse("candidate", args=["o-1"])
    [other] = super_admin_client.get(address).context["applications"]
    assert other.candidate.opportunity_id == "o-2"
    assert limited_member_client.get(address).context["applications"] == []
