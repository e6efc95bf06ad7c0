"""Record the progress that CodeScreen reports."""

from datetime import timedelta

import pytest
import responses
from django.utils import timezone

from integrations.clients import provider
from integrations.codescreen.payloads import Progress, WebhookHint
from integrations.models import Effect, Invitation, Result
from integrations.queue import worker
from integrations.vocabulary import ProgressTag
from integrations.workflow.results import poll, poll_schedule, webhook_hint
from integrations.workflow.results.poll import PollOutcome
from tests import factories

URL = "https://codescreen.example/api"
INSTANCE = "instance-1"
COMPLETE = {
    "status": "Complete",
    "score": 75,
    "result_url": "https://codescreen.example/report/1",
    "metadata": {"result": "Passed", "attempt": 1},
}


@pytest.fixture
def codescreen_api(settings):
    settings.CODESCREEN_API_URL = URL
    with responses.RequestsMock(assert_all_requests_are_fired=False) as api:
        yield api


@pytest.fixture
def invitation(organization):
    factories.CodeScreenConnectionFactory(organization=organization)
    return factories.InvitationFactory(
        organization=organization, status="invited", instance_id=INSTANCE, invited_at=timezone.now()
    )


@pytest.fixture
def poll_answer(codescreen_api, invitation):
    """Return what polls a given answer and returns the invitation as it is then."""

    def poll_once(answer, **more):
        codescreen_api.reset()
        codescreen_api.get(f"{URL}/assessments/{INSTANCE}", json=answer, **more)
        worker.poll_invitation(Invitation.objects.select_related("organization").get(pk=invitation.pk))
        return Invitation.objects.get(pk=invitation.pk)

    return poll_once


def progress_tags():
    """Return the progress tags that were enqueued, in order."""
    rows = Effect.objects.filter(kind="set_progress_tag").order_by("pk")
    return [row.payload["tag"] for row in rows]


# the road


def test_nothing_changes_when_the_assessment_is_not_started(poll_answer):
    polled = poll_answer({"status": "Not_Started", "metadata": {}})
    assert (polled.status, polled.raw_status, polled.poll_failures) == ("invited", "Not_Started", 0)
    assert polled.next_poll_at > timezone.now() + timedelta(minutes=45)
    assert progress_tags() == []


def test_an_invitation_is_completed_with_the_published_api_alone(poll_answer):
    assert poll_answer({"status": "In_Progress", "metadata": {}}).status == "in_progress"
    polled = poll_answer(
        {
            "status": "Complete",
            "score": 40,
            "result_url": "https://codescreen.example/r",
            "metadata": {"issueCount": 10},
        }
    )
    assert polled.status == "completed"
    result = Result.objects.get()
    assert (result.outcome, result.score, result.rating, result.failure_reason) == ("", 40, 2, "")
    assert progress_tags() == [ProgressTag.IN_PROGRESS, ProgressTag.COMPLETED]


def test_times_are_recorded_when_codescreen_states_them(poll_answer):
    polled = poll_answer(
        COMPLETE
        | {
            "metadata": {
                "result": "Failed",
                "failureReason": "Unit Tests",
                "startedAt": "2024-05-02T08:00:00Z",
                "submittedAt": "2024-05-02T10:20:00Z",
                "evaluatedAt": "2024-05-02T10:31:07Z",
            }
        }
    )
    assert [
        moment.isoformat() for moment in (polled.started_at, polled.submitted_at, polled.completed_at)
    ] == [
        "2024-05-02T08:00:00+00:00",
        "2024-05-02T10:20:00+00:00",
        "2024-05-02T10:31:07+00:00",
    ]
    assert Result.objects.get().failure_reason == "Unit Tests"


def test_polling_the_same_result_again_writes_nothing(poll_answer):
    for _ in range(3):
        poll_answer(COMPLETE)
    assert Result.objects.count() == 1
    assert Effect.objects.filter(kind="write_feedback").count() == 1


def test_a_regrade_without_attempt_numbers_is_a_new_result(poll_answer):
    poll_answer(COMPLETE | {"metadata": {}})
    poll_answer(COMPLETE | {"score": 20, "metadata": {}})
    assert list(Result.objects.order_by("attempt").values_list("attempt", "score", "rating")) == [
        (1, 75, 4),
        (2, 20, 1),
    ]
    assert Effect.objects.filter(kind="write_feedback").count() == 2


def test_the_progress_tag_goes_back_when_the_assessment_is_reopened(poll_answer):
    poll_answer(COMPLETE)
    polled = poll_answer({"status": "In_Progress", "metadata": {"attempt": 2}})
    assert (polled.status, polled.completed_at) == ("in_progress", None)
    assert "again" in polled.status_reason
    polled = poll_answer(COMPLETE | {"score": 90, "metadata": {"result": "Passed", "attempt": 2}})
    assert polled.status == "completed"
    assert progress_tags() == [ProgressTag.COMPLETED, ProgressTag.IN_PROGRESS, ProgressTag.COMPLETED]
    assert Result.objects.count() == 2


def test_an_expired_invitation_is_invited_again_when_codescreen_resends_it(poll_answer):
    poll_answer({"status": "Complete", "metadata": {"result": "Expired", "failureReason": "Expired"}})
    polled = poll_answer({"status": "Not_Started", "metadata": {"attempt": 2}})
    assert (polled.status, polled.started_at, polled.completed_at) == ("invited", None, None)
    assert progress_tags() == [ProgressTag.EXPIRED, ProgressTag.INVITED]


def test_a_second_attempt_with_the_same_result_is_a_result_of_its_own(poll_answer):
    poll_answer(COMPLETE)
    poll_answer({"status": "In_Progress", "metadata": {"attempt": 2}})
    poll_answer(COMPLETE | {"metadata": {"result": "Passed", "attempt": 2}})
    assert list(Result.objects.order_by("attempt").values_list("attempt", flat=True)) == [1, 2]


@pytest.mark.parametrize("stated", ["passed", "PASSED", " Passed "])
def test_the_outcome_is_compared_without_case(poll_answer, stated):
    poll_answer(COMPLETE | {"metadata": {"result": stated, "failureReason": "Unit Tests"}})
    result = Result.objects.get()
    assert (result.outcome, result.failure_reason) == ("Passed", "")


@pytest.mark.parametrize("stated", ["Pass", "ok", "", None, True, 1, ["Passed"], {"value": "Passed"}])
def test_an_unknown_outcome_is_recorded_as_not_stated(poll_answer, stated):
    poll_answer(COMPLETE | {"metadata": {"result": stated}})
    assert Result.objects.get().outcome == ""


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "/report/1",
        "//evil.example",
        "ftp://x.example",
        "https://" + "x" * 1000,
        5,
        None,
        ["https://x.example"],
        "",
    ],
)
def test_a_report_link_that_is_no_web_address_is_dropped(poll_answer, url):
    poll_answer(COMPLETE | {"result_url": url})
    assert Result.objects.get().report_url == ""
    assert not Effect.objects.filter(kind="add_report_link").exists()


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0, 0),
        (100, 100),
        (82.9, 82),
        (101, None),
        (-1, None),
        ("82", None),
        (True, None),
        (None, None),
        ([82], None),
    ],
)
def test_a_score_is_a_number_from_0_to_100(poll_answer, score, expected):
    poll_answer(COMPLETE | {"score": score})
    assert Result.objects.get().score == expected


@pytest.mark.parametrize("status", ["complete", "Done", "", None, 5, "x" * 500])
def test_an_unknown_status_changes_nothing_and_polling_goes_on(poll_answer, status):
    polled = poll_answer({"status": status, "score": 90, "metadata": {}})
    assert polled.status == "invited"
    assert polled.next_poll_at is not None
    assert not Result.objects.exists()


@pytest.mark.parametrize(
    "metadata", [None, [], "text", 5, {"attempt": "2"}, {"attempt": 0}, {"attempt": -1}, {"attempt": True}]
)
def test_a_result_is_recorded_when_metadata_has_unexpected_types(poll_answer, metadata):
    polled = poll_answer(COMPLETE | {"metadata": metadata})
    assert polled.status == "completed"
    assert Result.objects.get().attempt == 1


@pytest.mark.parametrize(
    "metadata",
    [
        {"attempt": 10**30},
        {"attempt": 2**31},
        {"failureReason": "x" * 5000, "result": "Failed"},
        {"failureReason": "a\x00b", "result": "Failed"},
        {"startedAt": "0001-01-01T00:00:00+14:00"},
        {"evaluatedAt": "9999-12-31T23:59:59-14:00"},
        {"startedAt": "2024-05-02"},
        {"startedAt": "yesterday", "submittedAt": 5},
        {"big": 10**400},
        {"x" * 300: "y" * 100_000},
    ],
    ids=lambda metadata: str(next(iter(metadata)))[:20] + str(next(iter(metadata.values())))[:12],
)
def test_a_result_is_recorded_when_metadata_has_extreme_values(poll_answer, metadata):
    assert poll_answer(COMPLETE | {"metadata": metadata}).status == "completed"


@pytest.mark.parametrize("answer", [[], "text", None, 5])
def test_an_invitation_is_polled_again_when_the_answer_is_no_status(poll_answer, answer):
    polled = poll_answer(answer)
    assert (polled.status, polled.poll_failures) == ("invited", 1)
    assert polled.next_poll_at > timezone.now()


# when CodeScreen doesn't answer


@pytest.mark.parametrize("status", [500, 503, 404, 401, 418])
def test_a_failing_poll_is_postponed_longer_each_time(poll_answer, status):
    waits = []
    for _ in range(3):
        polled = poll_answer({}, status=status)
        waits.append(polled.next_poll_at - timezone.now())
    assert polled.status == "invited"
    if status != 401:  # a refused key makes everything wait
        assert polled.poll_failures == 3
        assert waits == sorted(waits)
    assert poll_answer({"status": "Not_Started", "metadata": {}}).status == "invited"


def test_a_poll_is_postponed_as_long_as_codescreen_asks_for(poll_answer):
    polled = poll_answer({}, status=429, headers={"Retry-After": "1800"})
    assert timedelta(minutes=29) < polled.next_poll_at - timezone.now() < timedelta(minutes=31)


def test_a_crash_while_recording_postpones_only_this_invitation(poll_answer, monkeypatch, invitation):
    Invitation.objects.update(next_poll_at=timezone.now() - timedelta(seconds=1))
    assert poll_schedule.claim_poll()
    monkeypatch.setattr(poll, "record_progress", lambda *_: 1 / 0)
    polled = poll_answer(COMPLETE)
    assert polled.status == "invited"
    assert polled.next_poll_at > timezone.now()


# webhooks are hints


def receive_webhook(invitation, kind="candidate.evaluated", instance=INSTANCE, external=""):
    return webhook_hint.apply_hint(invitation.organization, WebhookHint(kind, instance, external))


def test_a_webhook_makes_the_invitation_due_for_a_poll(invitation):
    Invitation.objects.update(next_poll_at=timezone.now() + timedelta(days=1))
    assert receive_webhook(invitation) == invitation
    invitation.refresh_from_db()
    assert invitation.next_poll_at <= timezone.now() + timedelta(seconds=1)


@pytest.mark.parametrize(
    "kind", ["candidate.started", "candidate.evaluated", "candidate.expired", "something.new", ""]
)
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


def test_a_submission_webhook_is_applied_to_the_current_row(invitation, poll_answer):
    read_before = Invitation.objects.get()
    poll_answer(COMPLETE)
    webhook_hint._record_submission(read_before)
    invitation.refresh_from_db()
    assert invitation.status == "completed"
    assert progress_tags() == [ProgressTag.COMPLETED]


def test_a_late_submission_webhook_does_not_reopen_a_completed_invitation(invitation, poll_answer):
    poll_answer(COMPLETE)
    receive_webhook(invitation, "candidate.submitted")
    invitation.refresh_from_db()
    assert invitation.status == "completed"


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


def test_a_bounced_invitation_is_notified_once(invitation, super_admin):
    for _ in range(3):
        receive_webhook(invitation, "candidate.email_bounced")
    [email] = Effect.objects.filter(kind="send_email")
    assert "bounced" in email.payload["subject"]
    assert invitation.email not in str(email.payload)


def test_a_webhook_about_an_unknown_instance_is_ignored(invitation, stranger):
    other = stranger.memberships.get().organization
    assert webhook_hint.apply_hint(other, WebhookHint("candidate.evaluated", INSTANCE, "")) is None
    assert receive_webhook(invitation, instance="unknown") is None
    assert receive_webhook(invitation, instance="", external="") is None


@pytest.mark.parametrize("status", ["uncertain", "sending"])
def test_a_webhook_with_the_external_id_confirms_an_uncertain_invitation(invitation, status):
    Invitation.objects.update(status=status, instance_id="")
    effect = factories.EffectFactory(
        organization=invitation.organization,
        invitation=invitation,
        kind="send_invitation",
        key=str(invitation.pk),
        state="uncertain",
        due_at=None,
    )
    receive_webhook(invitation, "candidate.invited", "instance-9", invitation.external_id)
    invitation.refresh_from_db()
    effect.refresh_from_db()
    assert (invitation.status, invitation.instance_id, effect.state) == ("invited", "instance-9", "done")
    assert progress_tags() == [ProgressTag.INVITED]


@pytest.mark.parametrize("external", ["", "lever:somebody:else:1"])
def test_a_webhook_with_another_external_id_confirms_nothing(invitation, external):
    Invitation.objects.update(status="uncertain", instance_id="")
    assert receive_webhook(invitation, "candidate.invited", "instance-9", external) is None
    invitation.refresh_from_db()
    assert invitation.status == "uncertain"


def test_a_poll_returns_whether_anything_changed(codescreen_api, invitation):
    codescreen_api.get(f"{URL}/assessments/{INSTANCE}", json={"status": "In_Progress", "metadata": {}})
    codescreen = provider.codescreen_client(invitation.organization)
    assert poll.refresh_progress(invitation, codescreen) is PollOutcome.CHANGED
    assert poll.refresh_progress(invitation, codescreen) is PollOutcome.UNCHANGED


def test_a_poll_without_an_answer_is_postponed_and_counted(codescreen_api, invitation):
    codescreen_api.get(f"{URL}/assessments/{INSTANCE}", status=500)
    clients = provider.clients_for(invitation.organization)
    assert poll.poll(invitation, clients) is PollOutcome.POSTPONED
    invitation.refresh_from_db()
    assert invitation.poll_failures == 1


def test_the_instance_id_is_escaped_in_the_address(codescreen_api, invitation):
    Invitation.objects.update(instance_id="a/../b?c#d")
    invitation.refresh_from_db()
    codescreen_api.get(f"{URL}/assessments/a%2F..%2Fb%3Fc%23d", json={"status": "Not_Started"})
    assert isinstance(
        provider.codescreen_client(invitation.organization).status(invitation.instance_id), Progress
    )
