"""CodeScreen → progress and results: webhook and poll are two bells on one road, and nothing on it is guessed."""

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
def wire(settings):
    settings.CODESCREEN_API_URL = URL
    with responses.RequestsMock(assert_all_requests_are_fired=False) as found:
        yield found


@pytest.fixture
def invitation(organization):
    factories.CodeScreenConnectionFactory(organization=organization)
    return factories.InvitationFactory(
        organization=organization, status="invited", instance_id=INSTANCE, invited_at=timezone.now()
    )


@pytest.fixture
def says(wire, invitation):
    """Let CodeScreen answer something and ask it; the invitation as it stands then."""

    def say(answer, **more):
        wire.reset()
        wire.get(f"{URL}/assessments/{INSTANCE}", json=answer, **more)
        worker.poll_invitation(Invitation.objects.select_related("organization").get(pk=invitation.pk))
        return Invitation.objects.get(pk=invitation.pk)

    return say


def tags():
    """Return the progress tags that were asked for, in order, without those overtaken."""
    rows = Effect.objects.filter(kind="set_progress_tag").order_by("pk")
    return [row.payload["tag"] for row in rows]


# the road


def test_not_started_changes_nothing(says):
    found = says({"status": "Not_Started", "metadata": {}})
    assert (found.status, found.raw_status, found.poll_failures) == ("invited", "Not_Started", 0)
    assert found.next_poll_at > timezone.now() + timedelta(minutes=45)
    assert tags() == []


def test_the_whole_road_on_the_published_api_alone(says):
    assert says({"status": "In_Progress", "metadata": {}}).status == "in_progress"
    found = says(
        {
            "status": "Complete",
            "score": 40,
            "result_url": "https://codescreen.example/r",
            "metadata": {"issueCount": 10},
        }
    )
    assert found.status == "completed"
    result = Result.objects.get()
    assert (result.outcome, result.score, result.rating, result.failure_reason) == ("", 40, 2, "")
    assert tags() == [ProgressTag.IN_PROGRESS, ProgressTag.COMPLETED]


def test_times_are_taken_where_codescreen_states_them(says):
    found = says(
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
    assert [moment.isoformat() for moment in (found.started_at, found.submitted_at, found.completed_at)] == [
        "2024-05-02T08:00:00+00:00",
        "2024-05-02T10:20:00+00:00",
        "2024-05-02T10:31:07+00:00",
    ]
    assert Result.objects.get().failure_reason == "Unit Tests"


def test_asking_again_about_the_same_result_writes_nothing(says):
    for _ in range(3):
        says(COMPLETE)
    assert Result.objects.count() == 1
    assert Effect.objects.filter(kind="write_feedback").count() == 1


def test_a_regrade_without_attempts_is_a_new_result(says):
    says(COMPLETE | {"metadata": {}})
    says(COMPLETE | {"score": 20, "metadata": {}})
    assert list(Result.objects.order_by("attempt").values_list("attempt", "score", "rating")) == [
        (1, 75, 4),
        (2, 20, 1),
    ]
    assert Effect.objects.filter(kind="write_feedback").count() == 2


def test_a_reopened_assessment_takes_its_tag_back(says):
    says(COMPLETE)
    found = says({"status": "In_Progress", "metadata": {"attempt": 2}})
    assert (found.status, found.completed_at) == ("in_progress", None)
    assert "again" in found.status_reason
    found = says(COMPLETE | {"score": 90, "metadata": {"result": "Passed", "attempt": 2}})
    assert found.status == "completed"
    assert tags() == [ProgressTag.COMPLETED, ProgressTag.IN_PROGRESS, ProgressTag.COMPLETED]
    assert Result.objects.count() == 2


def test_an_expired_assessment_that_is_sent_again_is_invited_again(says):
    says({"status": "Complete", "metadata": {"result": "Expired", "failureReason": "Expired"}})
    found = says({"status": "Not_Started", "metadata": {"attempt": 2}})
    assert (found.status, found.started_at, found.completed_at) == ("invited", None, None)
    assert tags() == [ProgressTag.EXPIRED, ProgressTag.INVITED]


def test_a_second_attempt_with_the_same_result_is_a_result_of_its_own(says):
    says(COMPLETE)
    says({"status": "In_Progress", "metadata": {"attempt": 2}})
    says(COMPLETE | {"metadata": {"result": "Passed", "attempt": 2}})
    assert list(Result.objects.order_by("attempt").values_list("attempt", flat=True)) == [1, 2]


@pytest.mark.parametrize("word", ["passed", "PASSED", " Passed "])
def test_the_outcome_is_compared_without_case(says, word):
    says(COMPLETE | {"metadata": {"result": word, "failureReason": "Unit Tests"}})
    result = Result.objects.get()
    assert (result.outcome, result.failure_reason) == ("Passed", "")


@pytest.mark.parametrize("word", ["Pass", "ok", "", None, True, 1, ["Passed"], {"value": "Passed"}])
def test_an_outcome_that_is_none_of_codescreens_words_is_not_stated(says, word):
    says(COMPLETE | {"metadata": {"result": word}})
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
def test_a_report_link_that_is_no_web_address_is_refused(says, url):
    says(COMPLETE | {"result_url": url})
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
def test_a_score_is_a_number_from_0_to_100(says, score, expected):
    says(COMPLETE | {"score": score})
    assert Result.objects.get().score == expected


@pytest.mark.parametrize("status", ["complete", "Done", "", None, 5, "x" * 500])
def test_an_unknown_status_is_kept_and_is_not_final(says, status):
    found = says({"status": status, "score": 90, "metadata": {}})
    assert found.status == "invited"
    assert found.next_poll_at is not None
    assert not Result.objects.exists()


@pytest.mark.parametrize(
    "metadata", [None, [], "text", 5, {"attempt": "2"}, {"attempt": 0}, {"attempt": -1}, {"attempt": True}]
)
def test_strange_metadata_is_survived(says, metadata):
    found = says(COMPLETE | {"metadata": metadata})
    assert found.status == "completed"
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
def test_extreme_metadata_is_survived(says, metadata):
    assert says(COMPLETE | {"metadata": metadata}).status == "completed"


@pytest.mark.parametrize("answer", [[], "text", None, 5])
def test_an_answer_that_is_no_status_is_asked_for_again(says, answer):
    found = says(answer)
    assert (found.status, found.poll_failures) == ("invited", 1)
    assert found.next_poll_at > timezone.now()


# when CodeScreen doesn't answer


@pytest.mark.parametrize("status", [500, 503, 404, 401, 418])
def test_a_failed_question_is_asked_again_later_and_later(says, status):
    waits = []
    for _ in range(3):
        found = says({}, status=status)
        waits.append(found.next_poll_at - timezone.now())
    assert found.status == "invited"
    if status != 401:  # a refused key makes everything wait
        assert found.poll_failures == 3
        assert waits == sorted(waits)
    assert says({"status": "Not_Started", "metadata": {}}).status == "invited"


def test_codescreen_says_when_to_ask_again(says):
    found = says({}, status=429, headers={"Retry-After": "1800"})
    assert timedelta(minutes=29) < found.next_poll_at - timezone.now() < timedelta(minutes=31)


def test_a_crash_while_recording_is_not_everybodys(says, monkeypatch, invitation):
    Invitation.objects.update(next_poll_at=timezone.now() - timedelta(seconds=1))
    assert poll_schedule.claim_poll()
    monkeypatch.setattr(poll, "record_progress", lambda *_: 1 / 0)
    found = says(COMPLETE)
    assert found.status == "invited"
    assert found.next_poll_at > timezone.now()


# webhooks are hints


def hear(invitation, kind="candidate.evaluated", instance=INSTANCE, external=""):
    return webhook_hint.apply_hint(invitation.organization, WebhookHint(kind, instance, external))


def test_a_hint_makes_it_ask_now(invitation):
    Invitation.objects.update(next_poll_at=timezone.now() + timedelta(days=1))
    assert hear(invitation) == invitation
    invitation.refresh_from_db()
    assert invitation.next_poll_at <= timezone.now() + timedelta(seconds=1)


@pytest.mark.parametrize(
    "kind", ["candidate.started", "candidate.evaluated", "candidate.expired", "something.new", ""]
)
def test_a_hint_never_changes_a_status_by_itself(invitation, kind):
    hear(invitation, kind)
    invitation.refresh_from_db()
    assert invitation.status == "invited"
    assert not Result.objects.exists()


def test_a_hint_of_submission_is_shown_since_the_status_never_tells(invitation, says):
    hear(invitation, "candidate.submitted")
    invitation.refresh_from_db()
    assert invitation.status == "submitted"
    assert says({"status": "In_Progress", "metadata": {}}).status == "submitted"
    assert says(COMPLETE).status == "completed"


def test_a_submission_that_is_heard_of_before_the_start_shows_the_assessment_in_progress(invitation, says):
    hear(invitation, "candidate.submitted")
    assert tags() == [ProgressTag.IN_PROGRESS]
    says({"status": "In_Progress", "metadata": {}})
    hear(invitation, "candidate.submitted")
    assert tags() == [ProgressTag.IN_PROGRESS]


def test_a_hint_of_submission_counts_by_what_the_row_says_now(invitation, says):
    read_before = Invitation.objects.get()
    says(COMPLETE)
    webhook_hint._record_submission(read_before)
    invitation.refresh_from_db()
    assert invitation.status == "completed"
    assert tags() == [ProgressTag.COMPLETED]


def test_a_late_hint_of_submission_does_not_reopen_what_is_done(invitation, says):
    says(COMPLETE)
    hear(invitation, "candidate.submitted")
    invitation.refresh_from_db()
    assert invitation.status == "completed"


def test_hints_out_of_order_and_repeated_end_in_the_same_place(invitation, says):
    for kind in (
        "candidate.evaluated",
        "candidate.invited",
        "candidate.started",
        "candidate.evaluated",
        "candidate.submitted",
    ):
        hear(invitation, kind)
        says(COMPLETE)
    invitation.refresh_from_db()
    assert invitation.status == "completed"
    assert Result.objects.count() == 1
    assert Effect.objects.filter(kind="write_feedback").count() == 1


def test_a_bounce_is_told_once(invitation, super_admin):
    for _ in range(3):
        hear(invitation, "candidate.email_bounced")
    [mail] = Effect.objects.filter(kind="send_email")
    assert "bounced" in mail.payload["subject"]
    assert invitation.email not in str(mail.payload)


def test_a_hint_about_somebody_elses_instance_is_nobodys(invitation, stranger):
    other = stranger.memberships.get().organization
    assert webhook_hint.apply_hint(other, WebhookHint("candidate.evaluated", INSTANCE, "")) is None
    assert hear(invitation, instance="unknown") is None
    assert hear(invitation, instance="", external="") is None


@pytest.mark.parametrize("status", ["uncertain", "sending"])
def test_a_hint_with_our_external_id_settles_an_uncertain_invitation(invitation, status):
    Invitation.objects.update(status=status, instance_id="")
    effect = factories.EffectFactory(
        organization=invitation.organization,
        invitation=invitation,
        kind="send_invitation",
        key=str(invitation.pk),
        state="uncertain",
        due_at=None,
    )
    hear(invitation, "candidate.invited", "instance-9", invitation.external_id)
    invitation.refresh_from_db()
    effect.refresh_from_db()
    assert (invitation.status, invitation.instance_id, effect.state) == ("invited", "instance-9", "done")
    assert tags() == [ProgressTag.INVITED]


@pytest.mark.parametrize("external", ["", "lever:somebody:else:1"])
def test_another_external_id_settles_nothing(invitation, external):
    Invitation.objects.update(status="uncertain", instance_id="")
    assert hear(invitation, "candidate.invited", "instance-9", external) is None
    invitation.refresh_from_db()
    assert invitation.status == "uncertain"


def test_a_poll_returns_whether_anything_changed(wire, invitation):
    wire.get(f"{URL}/assessments/{INSTANCE}", json={"status": "In_Progress", "metadata": {}})
    codescreen = provider.codescreen_client(invitation.organization)
    assert poll.refresh_progress(invitation, codescreen) is PollOutcome.CHANGED
    assert poll.refresh_progress(invitation, codescreen) is PollOutcome.UNCHANGED


def test_a_poll_without_an_answer_is_postponed_and_counted(wire, invitation):
    wire.get(f"{URL}/assessments/{INSTANCE}", status=500)
    clients = provider.clients_for(invitation.organization)
    assert poll.poll(invitation, clients) is PollOutcome.POSTPONED
    invitation.refresh_from_db()
    assert invitation.poll_failures == 1


def test_the_instance_id_is_one_part_of_the_address(wire, invitation):
    Invitation.objects.update(instance_id="a/../b?c#d")
    invitation.refresh_from_db()
    wire.get(f"{URL}/assessments/a%2F..%2Fb%3Fc%23d", json={"status": "Not_Started"})
    assert isinstance(
        provider.codescreen_client(invitation.organization).status(invitation.instance_id), Progress
    )
