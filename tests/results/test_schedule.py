"""When an invitation is polled and when no longer, and what is said then."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.codescreen.acts import save_codescreen_key
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.payloads import WebhookHint
from integrations.core.vocabulary import ProgressTag
from integrations.http.session import CallDeferred
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from integrations.results import poll, schedule
from integrations.store import database
from tests.results.conftest import COMPLETE, INSTANCE, URL, progress_tags
from tests.support import factories
from tests.support.mailbox import sent_emails


def test_a_due_poll_is_claimed_once(db):
    invitation = factories.InvitationFactory(
        status="invited", instance_id="instance-1", next_poll_at=timezone.now() - timedelta(seconds=1)
    )
    assert schedule.claim_polls(1) == [invitation]
    assert schedule.claim_polls(1) == []


@pytest.mark.parametrize(
    ("status", "followed_for", "longest"),
    [
        ("invited", timedelta(), timedelta(minutes=10)),
        ("invited", timedelta(days=2, seconds=-1), timedelta(minutes=10)),
        ("invited", timedelta(days=2), timedelta(hours=1)),
        ("invited", timedelta(days=14, seconds=-1), timedelta(hours=1)),
        ("invited", timedelta(days=14), timedelta(hours=12)),
        ("in_progress", timedelta(), timedelta(minutes=10)),
        ("in_progress", timedelta(days=20), timedelta(minutes=10)),
        ("submitted", timedelta(), timedelta(minutes=200 / 60)),
        ("completed", timedelta(), timedelta(hours=24)),
        ("withdrawn", timedelta(), timedelta(hours=24)),
    ],
)
def test_the_poll_interval_follows_the_status_and_its_age(db, status, followed_for, longest):
    row = factories.InvitationFactory(status="invited", instance_id="instance-1")
    now = timezone.now()
    invitation = Invitation(status=status, followed_since=now - followed_for)
    assert schedule.poll_interval(invitation, now) == longest
    for _ in range(20):
        Invitation.objects.update(next_poll_at=schedule.next_poll(invitation, now))
        row.refresh_from_db()
        assert longest * 0.7 <= row.next_poll_at - timezone.now() <= longest


def test_a_poll_is_not_due_again_at_once_where_the_kept_reading_of_the_clock_is_old(
    codescreen_api, invitation, monkeypatch
):
    codescreen_api.get(f"{URL}/assessments/{INSTANCE}", json={"status": "Not_Started"})
    long_ago = timezone.now() - timedelta(days=2)
    monkeypatch.setattr(database, "now", lambda: long_ago)
    Invitation.objects.filter(pk=invitation.pk).update(next_poll_at=timezone.now() - timedelta(seconds=1))
    assert worker.work(5) == 1


def test_a_poll_whose_call_was_deferred_comes_soon_and_counts_no_failure(invitation, monkeypatch):
    def defer(*_):
        raise CallDeferred(4.0)

    monkeypatch.setattr(CodeScreenClient, "status", defer)
    Invitation.objects.filter(pk=invitation.pk).update(next_poll_at=timezone.now() - timedelta(seconds=1))
    (claimed,) = schedule.claim_polls(1)
    worker.poll_invitation(claimed)
    row = Invitation.objects.get(pk=invitation.pk)
    assert row.poll_failures == 0
    assert row.next_poll_at is not None
    assert timedelta(0) < row.next_poll_at - timezone.now() < timedelta(seconds=5)


# when following an invitation ends, and that the portal then says so


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


def test_that_no_result_comes_is_not_told_of_one_who_is_followed_again(poll_answer, invitation, super_admin):
    let_days_pass(57)
    poll_answer(NOT_STARTED).follow_again()
    assert emails().count() == 1
    assert sent_emails() == []


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
    assert "started, but not finished within 56 days. No result comes any more." in str(notes().get().payload)


def test_following_ends_in_words_when_codescreen_deleted_the_instance_unless_it_comes_back(
    poll_answer, super_admin
):
    poll_answer({}, status=404)
    Invitation.objects.update(missing_since=days_ago(8))
    polled = poll_answer(NOT_STARTED)
    assert (polled.missing_since, polled.following_ended) == (None, "")
    for _ in range(5):
        polled = poll_answer({}, status=404)
    assert (polled.following_ended, polled.missing_since is None) == ("", False)
    Invitation.objects.update(missing_since=days_ago(8))
    polled = poll_answer({}, status=404)
    assert (polled.following_ended, polled.next_poll_at) == ("gone", None)
    assert "deleted there" in str(emails().get().payload)


def test_a_settled_result_ends_following_without_an_email_until_a_regrade(poll_answer, super_admin):
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


def test_a_failing_poll_after_a_webhook_is_tried_again(codescreen_api, poll_answer, organization):
    let_days_pass(57)
    poll_answer(NOT_STARTED)
    poll.apply_hint(organization, WebhookHint("candidate.started", INSTANCE))
    codescreen_api.reset()
    codescreen_api.get(f"{URL}/assessments/{INSTANCE}", status=503)
    (claimed,) = schedule.claim_polls(1)
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


# by when a candidate must start, and what the progress tag says of one who hasn't

STARTED, MINUTE = {"status": "In_Progress", "metadata": {}}, timedelta(minutes=1)
YET, NEVER, INVITED = ProgressTag.NOT_STARTED_YET, ProgressTag.NOT_STARTED, ProgressTag.INVITED


@pytest.fixture
def three_days(organization):
    """Return the organization, whose rules say that the tag changes after three days."""
    set_days(organization, 3)
    return organization


def set_days(organization, days):
    organization.not_started_days = days
    organization.save()


def test_the_tag_comes_when_codescreen_answers_and_goes_when_the_candidate_starts(poll_answer, three_days):
    let_days_pass(4)
    for status in (503, 404):
        assert poll_answer({}, status=status).unstarted_tag == ""
    assert progress_tags() == []
    poll_answer(NOT_STARTED)
    assert poll_answer(STARTED).unstarted_tag == ""
    assert progress_tags() == [YET, ProgressTag.IN_PROGRESS]


@pytest.mark.parametrize("days", [0, 5])
def test_the_usual_tag_is_set_again_when_the_rules_change(poll_answer, three_days, days):
    let_days_pass(4)
    poll_answer(NOT_STARTED)
    set_days(three_days, days)
    for _ in range(2):
        assert poll_answer(NOT_STARTED).unstarted_tag == ""
    assert progress_tags() == [YET, INVITED]


def test_what_codescreen_opens_again_counts_anew(poll_answer, three_days):
    let_days_pass(4)
    poll_answer(NOT_STARTED)
    poll_answer(COMPLETE)
    let_days_pass(30)
    poll_answer(NOT_STARTED)
    assert progress_tags()[-1] == INVITED
    let_days_pass(2)
    poll_answer(NOT_STARTED)
    assert progress_tags()[-1] == INVITED
    let_days_pass(4)
    poll_answer(NOT_STARTED)
    assert progress_tags()[-1] == YET


def test_the_end_of_following_sets_its_tag_once(poll_answer, three_days):
    let_days_pass(4)
    poll_answer(NOT_STARTED)
    let_days_pass(57)
    for _ in range(2):
        assert poll_answer(NOT_STARTED).unstarted_tag == NEVER
    assert progress_tags() == [YET, NEVER]
    codes = Effect.objects.filter(kind="leave_note").order_by("pk").values_list("payload__code", flat=True)
    assert [code.split(":")[0] for code in codes] == ["ended"]


def test_the_days_are_over_at_the_very_moment(three_days):
    invitation = factories.InvitationFactory(organization=three_days)
    moments = [invitation.followed_since + timedelta(days=3) - more for more in (MINUTE, timedelta())]
    assert [schedule.unstarted_tag(invitation, None, at) for at in moments] == ["", YET]
