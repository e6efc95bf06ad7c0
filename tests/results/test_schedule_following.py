"""When following an invitation ends, and that the portal then says so."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.codescreen.acts import save_codescreen_key
from integrations.codescreen.payloads import WebhookHint
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts
from integrations.queue import worker
from integrations.results import poll, schedule
from tests.results.conftest import COMPLETE, INSTANCE, URL

NOT_STARTED = {"status": "Not_Started", "metadata": {}}


def days_ago(days: int):
    return timezone.now() - timedelta(days=days)


def let_days_pass(days: int) -> None:
    """Make the invitation as old as if it had reached its status so many days ago."""
    then = days_ago(days)
    Invitation.objects.update(changed_at=then, followed_since=then, invited_at=then)


def emails():
    return Effect.objects.filter(kind="send_email", email_topic="following_ended")


def notes():
    return Effect.objects.filter(kind="leave_note")


def test_following_a_no_show_ends_in_words_that_are_told_once(poll_answer, invitation, super_admin):
    let_days_pass(57)
    for _ in range(2):
        polled = poll_answer(NOT_STARTED)
        Effect.objects.update(state="done", due_at=None)
    assert (polled.status, polled.next_poll_at, polled.following_ended) == ("invited", None, "not_started")
    assert polled.following_ended_reason.startswith("Not started within 56 days.")
    assert "Not started within 56 days." in str(emails().get().payload)
    note = notes().get()
    assert note.payload["text"].startswith(
        "CodeScreen: “Backend”: not started within 56 days. No result comes any more. If you still need it, "
        "move the candidate out of the stage and back in.\n"
    )
    assert (note.opportunity_id, note.invitation) == (invitation.opportunity_id, invitation)
    assert invitation.candidate_name not in str(note.payload)
    assert invitation.email not in str(note.payload)


def test_a_no_show_is_followed_as_long_as_the_policy_says(poll_answer, organization):
    organization.no_show_days = 90
    organization.save()
    let_days_pass(89)
    assert poll_answer(NOT_STARTED).next_poll_at is not None
    let_days_pass(91)
    assert poll_answer(NOT_STARTED).following_ended_reason.startswith("Not started within 90 days.")


def test_a_note_in_lever_says_that_a_candidate_has_not_finished(poll_answer, super_admin):
    poll_answer({"status": "In_Progress", "metadata": {}})
    let_days_pass(57)
    polled = poll_answer({"status": "In_Progress", "metadata": {}})
    assert (polled.status, polled.following_ended, polled.next_poll_at) == (
        "in_progress",
        "not_finished",
        None,
    )
    assert emails().count() == 1
    assert (
        "“Backend”: started, but not finished within 56 days. No result comes any more."
        in notes().get().payload["text"]
    )


def test_following_counts_from_the_reopening(poll_answer):
    poll_answer(COMPLETE)
    Invitation.objects.update(invited_at=days_ago(100), changed_at=days_ago(90), followed_since=days_ago(90))
    polled = poll_answer({"status": "Not_Started", "metadata": {"attempt": 2}})
    assert (polled.status, polled.following_ended) == ("invited", "")
    assert polled.next_poll_at is not None
    polled = poll_answer({"status": "In_Progress", "metadata": {"attempt": 2}})
    assert (polled.status, polled.following_ended) == ("in_progress", "")
    assert polled.next_poll_at is not None


def test_following_ends_in_words_when_codescreen_deleted_the_instance(poll_answer, organization, super_admin):
    for _ in range(5):
        polled = poll_answer({}, status=404)
    assert (polled.following_ended, polled.missing_since is None) == ("", False)
    Invitation.objects.update(missing_since=days_ago(8))
    polled = poll_answer({}, status=404)
    assert (polled.following_ended, polled.next_poll_at) == ("gone", None)
    assert "deleted there" in str(emails().get().payload)


def test_a_missing_instance_that_comes_back_is_followed_on(poll_answer):
    poll_answer({}, status=404)
    Invitation.objects.update(missing_since=days_ago(8))
    polled = poll_answer(NOT_STARTED)
    assert (polled.missing_since, polled.following_ended) == (None, "")
    assert poll_answer({}, status=404).following_ended == ""


def test_another_failure_never_makes_an_instance_count_as_deleted(poll_answer):
    Invitation.objects.update(missing_since=days_ago(8))
    polled = poll_answer({}, status=503)
    assert (polled.following_ended, polled.next_poll_at is None) == ("", False)


def test_a_settled_result_ends_following_without_an_email_until_a_regrade(
    poll_answer, organization, super_admin
):
    poll_answer(COMPLETE)
    Invitation.objects.update(completed_at=days_ago(31), followed_since=days_ago(31))
    polled = poll_answer(COMPLETE)
    assert (polled.status, polled.following_ended, polled.next_poll_at) == (
        "completed",
        "result_settled",
        None,
    )
    assert not emails().exists()
    polled = poll_answer(COMPLETE | {"score": 20})  # a regrade
    assert (polled.following_ended, polled.following_ended_at) == ("", None)
    assert polled.next_poll_at is not None


def test_a_failing_poll_by_command_doesnt_follow_again(codescreen_api, poll_answer, organization):
    let_days_pass(57)
    poll_answer(NOT_STARTED)
    codescreen_api.reset()
    codescreen_api.get(f"{URL}/assessments/{INSTANCE}", status=503)
    queue_acts.poll_organization(organization)
    assert Invitation.objects.get().next_poll_at is None


def test_a_failing_poll_after_a_webhook_is_tried_again(codescreen_api, poll_answer, organization):
    let_days_pass(57)
    poll_answer(NOT_STARTED)
    poll.apply_hint(organization, WebhookHint("candidate.started", INSTANCE))
    codescreen_api.reset()
    codescreen_api.get(f"{URL}/assessments/{INSTANCE}", status=503)
    (claimed,) = schedule.claim_polls(1)
    assert claimed is not None
    worker.poll_invitation(claimed)
    assert Invitation.objects.get().next_poll_at is not None


def test_another_key_makes_what_was_missing_followed_again(poll_answer, organization, super_admin):
    Invitation.objects.update(missing_since=days_ago(8))
    assert poll_answer({}, status=404).following_ended == "gone"
    save_codescreen_key(organization, "another-key", super_admin)
    polled = Invitation.objects.get()
    assert (polled.following_ended, polled.missing_since) == ("", None)
    assert Invitation.objects.due_for_poll().exists()


@pytest.mark.parametrize(("age", "end"), [(55, ""), (57, "withdrawn")])
def test_a_withdrawn_one_is_asked_about_as_long_as_an_invited_one(poll_answer, super_admin, age, end):
    Invitation.objects.update(status="withdrawn")
    let_days_pass(age)
    assert poll_answer(NOT_STARTED).following_ended == end
    assert not emails().exists()
