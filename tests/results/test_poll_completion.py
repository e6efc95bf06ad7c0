"""Record a completed assessment as a result, whatever CodeScreen states."""

import math
from decimal import Decimal

import pytest

from integrations.codescreen.models import CodeScreenConnection
from integrations.codescreen.payloads import Progress
from integrations.invitations.models.result import Result
from integrations.outbox.models.effect import Effect
from tests.results.conftest import COMPLETE
from tests.support.mailbox import sent_emails


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
    ] == ["2024-05-02T08:00:00+00:00", "2024-05-02T10:20:00+00:00", "2024-05-02T10:31:07+00:00"]
    assert Result.objects.get().failure_reason == "Unit Tests"


def test_details_that_change_alone_are_written_again_and_nothing_else_is(poll_answer):
    metadata = {"result": "Passed"}
    before = poll_answer(COMPLETE | {"metadata": metadata})
    kinds = sorted(Effect.objects.values_list("kind", flat=True))
    for _ in range(2):
        polled = poll_answer(COMPLETE | {"metadata": {"issueCount": 3} | metadata})
    result = Result.objects.get()
    assert (result.attempt, result.details) == (1, {"issueCount": 3})
    assert polled.completed_at == before.completed_at
    assert sorted(Effect.objects.values_list("kind", flat=True)) == sorted([*kinds, "write_feedback"])
    poll_answer(COMPLETE | {"metadata": metadata})
    assert Result.objects.get().details == {}
    assert Effect.objects.filter(kind="write_feedback").count() == 3


@pytest.mark.parametrize(
    ("reason", "stored"),
    [("Plagiarism: alder@candidates.example", "left out: personal"), ("Build Failure", "Build Failure")],
)
def test_a_reason_or_detail_that_names_the_candidate_is_left_out(poll_answer, invitation, reason, stored):
    invitation.candidate_name, invitation.email = "Build Alder", "alder@candidates.example"
    invitation.save()
    for _ in range(2):
        poll_answer(COMPLETE | {"metadata": {"result": "Failed", "failureReason": reason, "who": "Alder"}})
    result = Result.objects.get()
    assert (result.failure_reason, result.details) == (stored, {"who": "left out: personal"})
    assert Effect.objects.filter(kind="write_feedback").count() == 1


def test_a_regrade_without_a_number_or_with_a_lower_one_is_a_new_result_told_once(poll_answer, super_admin):
    poll_answer(COMPLETE | {"metadata": {}})
    poll_answer(COMPLETE | {"score": 20, "metadata": {}})
    results = Result.objects.order_by("attempt")
    stored = [(result.attempt, result.score_text, result.rating) for result in results]
    assert stored == [(1, "75", 4), (2, "20", 1)]
    assert Effect.objects.filter(kind="write_feedback").count() == 2
    numbered = COMPLETE | {"score": 20, "metadata": {"attempt": 1, "result": "Failed"}}
    for _ in range(3):
        polled = poll_answer(numbered)
    latest = polled.latest_result()
    assert latest is not None
    assert (latest.attempt, latest.outcome, latest.score_text) == (3, "Failed", "20")
    assert Effect.objects.filter(kind="send_email").count() == 3
    feedback = Effect.objects.filter(kind="write_feedback").latest("pk")
    assert feedback.payload["result"] == latest.pk
    # those that waited are no longer true
    assert [message.subject for message in sent_emails()] == ["Alder: Failed 20 (Backend)"]


def test_who_is_given_another_chance_is_told_of_again_with_the_same_result(poll_answer, super_admin):
    for answer in (COMPLETE, {"status": "In_Progress"}, COMPLETE, COMPLETE):
        poll_answer(answer)
    assert Effect.objects.filter(kind="send_email").count() == 2


def test_an_attempt_is_updated_when_its_result_changes_under_the_same_number(poll_answer):
    poll_answer(COMPLETE)
    poll_answer(COMPLETE | {"score": 20})
    result = Result.objects.get()
    assert (result.attempt, result.score_text, result.rating) == (1, "20", 3)


@pytest.mark.parametrize(
    ("answer", "decoded"),
    [
        ({"status": " COMPLETE "}, {"status": "Complete"}),
        ({"status": "expired", "metadata": {}}, {"status": "Expired", "outcome": "Expired"}),
        (
            {"metadata": {"result": " PASSED ", "failureReason": "x"}},
            {"outcome": "Passed", "failure_reason": ""},
        ),
    ],
)
def test_the_words_of_codescreen_are_read_in_any_case(answer, decoded):
    progress = Progress.from_api(COMPLETE | answer)
    assert {name: getattr(progress, name) for name in decoded} == decoded


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/report/1", "//evil.example", "https://" + "x" * 1000, 5, None]
)
def test_a_report_link_that_is_no_web_address_is_dropped(url):
    assert Progress.from_api(COMPLETE | {"result_url": url}).report_url == ""


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0, 0),
        (100, 100),
        (74.99999, Decimal("74.9999")),  # else it would be rated as 75
        (" 62.5 ", Decimal("62.5")),
        ("NaN", None),
        (math.nan, None),
        (-math.inf, None),
        ("82/100", None),
        (101, None),
        (-1, None),
        (True, None),
        ([82], None),
    ],
)
def test_a_score_is_a_number_from_0_to_100(score, expected):
    assert Progress.from_api(COMPLETE | {"score": score}).score == expected


@pytest.mark.parametrize(("metadata", "states"), [({}, False), ({"result": "Expired"}, True)])
def test_whether_the_account_states_results_is_known_from_the_last_one(poll_answer, metadata, states):
    assert CodeScreenConnection.objects.get().states_results is None
    poll_answer(COMPLETE | {"metadata": metadata})
    assert CodeScreenConnection.objects.get().states_results is states


def test_a_score_with_many_decimal_places_stays_the_same_result_at_the_next_poll(poll_answer):
    for _ in range(2):
        poll_answer(COMPLETE | {"score": 66.66666666666667, "metadata": {}})
    assert Result.objects.count() == 1


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        "text",
        {"attempt": 1.5},
        {"attempt": True},
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
        {str(number): number for number in range(1000)},
        {"": [{"a\x00": ["\ud800"]}]},
    ],
    ids=lambda metadata: str(metadata)[:30],
)
def test_a_result_is_recorded_whatever_metadata_holds(poll_answer, metadata):
    assert poll_answer(COMPLETE | {"metadata": metadata}).status == "completed"
    assert Result.objects.get().attempt == 1
