"""The card at the top of a candidate's page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from tests.pages.candidate import histories
from tests.support import factories
from tests.support.page_text import text

PAGE = "/activity/o-alder/"


@pytest.fixture
def held(organization) -> Invitation:
    """An invitation on hold, with its candidate."""
    invitation: Invitation = factories.InvitationFactory.create(
        organization=organization, opportunity_id="o-alder", status="held"
    )
    factories.CandidateFactory.create(
        organization=organization, opportunity_id="o-alder", invitation=invitation
    )
    return invitation


def test_one_that_could_not_be_sent_can_be_sent_again_or_cancelled(super_admin_client, held):
    Invitation.objects.update(status="failed", status_reason="CodeScreen refused it.")
    page = text(super_admin_client.get(PAGE))
    assert "Send again</button>" in page
    assert "Nothing more is sent" in page
    assert "Cancel invitation</button>" in page


@pytest.mark.parametrize("reason", ["Has another offer.", ""])
def test_an_invitation_that_is_cancelled_is_called_so_with_who_and_why(
    super_admin_client, super_admin, held, reason
):
    page = text(super_admin_client.get(PAGE))
    assert "Cancel invitation</button>" in page
    answer = super_admin_client.post(
        f"/invitations/{held.pk}/cancel/", {"next": PAGE, "reason": reason}, follow=True
    )
    page = text(answer)
    assert "Cancelled: nothing is sent." in page
    assert answer.context["card"].title == "Cancelled"
    by = f"By {super_admin.username}"
    assert answer.context["card"].why == (f"{by}: {reason}" if reason else f"{by}.")
    assert [step.label for step in answer.context["steps"] if step.is_current] == ["Cancelled"]
    for other in ("Not sent", "Withdrawn", "Rejected", "refused", "Don't send", "no longer tracked"):
        assert other not in page
    again = "To send it after all, move the candidate out of the stage and back in."
    assert answer.context["card"].next_step == f"Nothing was sent. {again}"  # as the note in Lever says
    listed = text(super_admin_client.get("/activity/"))
    assert "Cancelled" in listed
    assert "Withdrawn" not in listed


def entered(organization, verdict: str, minutes_ago: int) -> Delivery:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    delivery: Delivery = factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id="o-alder",
        verdict=verdict,
        explanation=f"The sentence of {verdict}.",
        received_at=at,
        decided_at=at,
        due_at=None,
    )
    return delivery


def test_the_card_tells_why_nobody_was_invited_and_not_of_a_stage_that_sends_nothing(
    super_admin_client, organization
):
    left = entered(organization, "left_stage", 9)
    entered(organization, "not_a_trigger_stage", 5)
    factories.CandidateFactory.create(organization=organization, opportunity_id="o-alder", delivery=left)
    answer = super_admin_client.get(PAGE)
    assert answer.context["card"].title == "Not invited: left the stage"
    assert "rename it in Lever" not in text(answer)
    assert Candidate.objects.get().delivery == left


def test_the_card_tells_of_a_stage_that_sends_nothing_where_nothing_else_is_known(
    super_admin_client, organization
):
    entered(organization, "not_a_trigger_stage", 5)
    answer = super_admin_client.get(PAGE)
    assert answer.context["card"].title == "Not invited: not a CodeScreen stage"
    assert answer.context["card"].next_step == "Nothing to do."


def test_what_else_codescreen_says_is_on_the_card_and_with_earlier_invitations(
    organization, super_admin, super_admin_client
):
    address = histories.make(organization, super_admin, "passed")
    assert "Details from CodeScreen" not in text(super_admin_client.get(address))
    Result.objects.update(
        details_json='{"plagiarismCheckPassed": false, "sentAt": "2026-12-01T08:38:34Z", '
        '"<b>note</b>": "<script>alert(1)</script>", "failed": ["a", 2]}'
    )
    page = super_admin_client.get(address)
    assert page.context["card"].details == [
        ("Plagiarism check passed", "no"),
        ("<b>note</b>", "<script>alert(1)</script>"),
        ("Failed", '["a", 2]'),
    ]
    assert "<script>alert(1)" not in page.content.decode()
    assert "Details from CodeScreen" in text(page)
    factories.InvitationFactory.create(
        organization=organization, opportunity_id=Invitation.objects.get().opportunity_id, round=2
    )
    assert "Details from CodeScreen" in text(super_admin_client.get(address))
