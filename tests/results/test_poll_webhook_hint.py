"""A CodeScreen webhook makes an invitation due for a poll and confirms uncertain invitations."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.codescreen.payloads import WebhookHint
from integrations.core.vocabulary import ProgressTag
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.outbox.models.effect import Effect
from integrations.results import poll
from tests.results.conftest import COMPLETE, INSTANCE, progress_tags


def receive_webhook(invitation, kind="candidate.evaluated", instance=INSTANCE):
    """Apply a CodeScreen webhook and return the invitation it is about, None when unknown."""
    return poll.apply_hint(invitation.organization, WebhookHint(kind, instance))


def test_a_webhook_makes_the_invitation_due_for_a_poll(invitation):
    Invitation.objects.update(next_poll_at=timezone.now() + timedelta(days=1))
    assert receive_webhook(invitation) == invitation
    invitation.refresh_from_db()
    assert invitation.next_poll_at <= timezone.now() + timedelta(seconds=1)


@pytest.mark.parametrize("kind", ["candidate.expired", ""])
def test_a_webhook_alone_changes_no_status(invitation, kind):
    receive_webhook(invitation, kind)
    invitation.refresh_from_db()
    assert invitation.status == "invited"
    assert not Result.objects.exists()


def test_a_submission_webhook_sets_the_submitted_status(invitation, poll_answer):
    receive_webhook(invitation, "candidate.submitted")
    invitation.refresh_from_db()
    assert invitation.status == "submitted"
    assert poll_answer({"status": "In_Progress", "metadata": {}}).status == "submitted"
    assert poll_answer(COMPLETE).status == "completed"


def test_a_submission_webhook_before_the_start_sets_the_in_progress_tag(invitation, poll_answer):
    receive_webhook(invitation, "candidate.submitted")
    assert progress_tags() == [ProgressTag.IN_PROGRESS]
    poll_answer({"status": "In_Progress", "metadata": {}})
    receive_webhook(invitation, "candidate.submitted")
    assert progress_tags() == [ProgressTag.IN_PROGRESS]


def test_webhooks_out_of_order_and_repeated_lead_to_the_same_status(invitation, poll_answer):
    for kind in (
        "candidate.evaluated",
        "candidate.invited",
        "candidate.started",
        "candidate.evaluated",
        "candidate.submitted",
    ):
        receive_webhook(invitation, kind)
        poll_answer(COMPLETE)
    invitation.refresh_from_db()
    assert invitation.status == "completed"
    assert Result.objects.count() == 1
    assert Effect.objects.filter(kind="write_feedback").count() == 1


def test_a_bounce_is_told_once_in_lever(invitation):
    for _ in range(2):
        receive_webhook(invitation, "candidate.email_bounced")
    [note] = Effect.objects.filter(kind="leave_note")
    assert "bounced: it couldn't be delivered. Correct the address in Lever" in note.payload["text"]
    assert invitation.email not in note.payload["text"]


def test_a_webhook_about_an_unknown_instance_is_ignored(invitation, stranger):
    other = stranger.memberships.get().organization
    assert poll.apply_hint(other, WebhookHint("candidate.evaluated", INSTANCE)) is None
    assert receive_webhook(invitation, instance="unknown") is None
    assert receive_webhook(invitation, instance="") is None
