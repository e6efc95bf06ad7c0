"""Rate a result from its score, never against what CodeScreen states."""

import pytest

from integrations.codescreen.payloads import Progress
from integrations.results.recording import rate

QUARTERS = (25, 50, 75)


@pytest.mark.parametrize(
    ("score", "expected"), [(0, 1), (24, 1), (25, 2), (49, 2), (50, 3), (74, 3), (75, 4), (100, 4)]
)
@pytest.mark.parametrize("outcome", ["", "Expired"])
def test_the_rating_follows_the_score_when_neither_passed_nor_failed_is_stated(score, expected, outcome):
    assert rate(Progress("Complete", score=score, outcome=outcome), QUARTERS, follows_result=True) == expected


@pytest.mark.parametrize(
    ("outcome", "score", "expected"),
    [
        ("Failed", 99, 2),
        ("Failed", 40, 2),
        ("Failed", 0, 1),
        ("Passed", 40, 3),
        ("Passed", 0, 3),
        ("Passed", 60, 3),
        ("Passed", 80, 4),
    ],
)
def test_the_rating_never_contradicts_a_stated_result(outcome, score, expected):
    progress = Progress("Complete", score=score, outcome=outcome)
    assert rate(progress, QUARTERS, follows_result=True) == expected


@pytest.mark.parametrize(("outcome", "score", "expected"), [("Failed", 99, 4), ("Passed", 0, 1)])
def test_the_rating_is_the_scores_alone_when_the_policy_is_off(outcome, score, expected):
    progress = Progress("Complete", score=score, outcome=outcome)
    assert rate(progress, QUARTERS, follows_result=False) == expected


@pytest.mark.parametrize("follows_result", [True, False])
@pytest.mark.parametrize(
    "progress",
    [
        Progress("Complete", outcome="Expired"),
        Progress("Complete", outcome="Failed", failure_reason="Build Failure"),
        Progress("Complete", outcome="Failed", failure_reason="Build Timeout"),
        Progress("Complete", outcome="Passed"),
        Progress("Complete"),
    ],
)
def test_there_is_no_rating_when_codescreen_states_no_score(progress, follows_result):
    assert rate(progress, QUARTERS, follows_result=follows_result) is None


def test_the_rating_uses_the_given_thresholds():
    ratings = [
        rate(Progress("Complete", score=score), (10, 90, 100), follows_result=True)
        for score in (9, 10, 90, 99, 100)
    ]
    assert ratings == [1, 2, 3, 3, 4]
