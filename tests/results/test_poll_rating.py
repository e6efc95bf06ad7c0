"""Rate a result from its score, never against what CodeScreen states or the organization's bar says."""

import pytest

from integrations.invitations.models.result import Result
from integrations.results.poll import rate

THRESHOLDS = (25, 50, 74)


@pytest.mark.parametrize(
    ("score", "expected"), [(0, 1), (24, 1), (25, 2), (49, 2), (50, 3), (73.9999, 3), (74, 4), (100, 4)]
)
@pytest.mark.parametrize("outcome", ["", "Expired"])
def test_the_rating_follows_the_score_where_nothing_says_who_passed(score, expected, outcome):
    assert rate(Result(score=score, outcome=outcome), THRESHOLDS, follows_result=True) == expected


@pytest.mark.parametrize(
    ("said", "score", "expected", "by_score_alone"),
    [
        ({"outcome": "Failed"}, 99, 2, 4),
        ({"outcome": "Failed"}, 0, 1, 1),
        ({"outcome": "Passed"}, 0, 3, 1),
        ({"outcome": "Passed"}, 80, 4, 4),
        ({"bar": 70}, 62, 2, 3),
        ({"bar": 70}, 20, 1, 1),
        ({"bar": 20}, 20, 3, 1),
        ({"bar": 70}, 70, 3, 3),
        ({"bar": 70}, 99, 4, 4),
        ({"bar": 0}, 0, 3, 1),
        ({"bar": 100}, 99, 2, 4),
        ({"bar": 100}, 100, 4, 4),
    ],
)
def test_the_rating_contradicts_no_stated_result_or_bar_unless_the_policy_is_off(
    said, score, expected, by_score_alone
):
    result = Result(score=score, **said)
    assert rate(result, THRESHOLDS, follows_result=True) == expected
    assert rate(result, THRESHOLDS, follows_result=False) == by_score_alone


@pytest.mark.parametrize("follows_result", [True, False])
@pytest.mark.parametrize("outcome", ["Passed", "Failed", "Expired", ""])
def test_there_is_no_rating_when_codescreen_states_no_score(outcome, follows_result):
    assert rate(Result(outcome=outcome), THRESHOLDS, follows_result=follows_result) is None
