"""Rate a result from its score, never against what CodeScreen states or the organization's bar says."""

import pytest

from integrations.invitations.models.result import Result
from integrations.results.poll import rate

QUARTERS = (25, 50, 75)


@pytest.mark.parametrize(
    ("score", "expected"), [(0, 1), (24, 1), (25, 2), (49, 2), (50, 3), (74, 3), (75, 4), (100, 4)]
)
@pytest.mark.parametrize("outcome", ["", "Expired"])
def test_the_rating_follows_the_score_where_nothing_says_who_passed(score, expected, outcome):
    assert rate(Result(score=score, outcome=outcome), QUARTERS, follows_result=True) == expected


@pytest.mark.parametrize(
    ("said", "score", "expected"),
    [
        ({"outcome": "Failed"}, 99, 2),
        ({"outcome": "Failed"}, 0, 1),
        ({"outcome": "Passed"}, 0, 3),
        ({"outcome": "Passed"}, 80, 4),
        ({"bar": 70}, 62, 2),  # by the score alone "3 - Hire"
        ({"bar": 70}, 20, 1),
        ({"bar": 20}, 20, 3),
        ({"bar": 70}, 70, 3),
        ({"bar": 70}, 99, 4),
        ({"bar": 0}, 0, 3),
        ({"bar": 100}, 100, 4),
    ],
)
def test_the_rating_never_contradicts_a_stated_result_or_the_bar(said, score, expected):
    assert rate(Result(score=score, **said), QUARTERS, follows_result=True) == expected


@pytest.mark.parametrize(
    ("said", "score", "expected"),
    [
        ({"outcome": "Failed"}, 99, 4),
        ({"outcome": "Passed"}, 0, 1),
        ({"bar": 100}, 99, 4),
        ({"bar": 0}, 0, 1),
    ],
)
def test_the_rating_is_the_scores_alone_when_the_policy_is_off(said, score, expected):
    assert rate(Result(score=score, **said), QUARTERS, follows_result=False) == expected


@pytest.mark.parametrize("follows_result", [True, False])
@pytest.mark.parametrize(
    "stated",
    [
        {"outcome": "Expired"},
        {"outcome": "Failed", "failure_reason": "Build Failure"},
        {"outcome": "Failed", "failure_reason": "Build Timeout"},
        {"outcome": "Passed"},
        {},
    ],
)
def test_there_is_no_rating_when_codescreen_states_no_score(stated, follows_result):
    assert rate(Result(**stated), QUARTERS, follows_result=follows_result) is None


def test_the_rating_uses_the_given_thresholds():
    ratings = [
        rate(Result(score=score), (10, 90, 100), follows_result=True) for score in (9, 10, 90, 99, 100)
    ]
    assert ratings == [1, 2, 3, 3, 4]
