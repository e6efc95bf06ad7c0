"""Rate a result from its score, or from what CodeScreen states instead."""

import pytest

from integrations.codescreen.payloads import Progress
from integrations.workflow.results.rating import rate


@pytest.mark.parametrize(
    ("score", "expected"), [(0, 1), (24, 1), (25, 2), (49, 2), (50, 3), (74, 3), (75, 4), (100, 4)]
)
def test_the_rating_follows_the_score_by_default_quarters(score, expected):
    assert rate(Progress("Complete", score=score), (25, 50, 75)) == expected
    # what CodeScreen calls the result doesn't change what the score says
    assert rate(Progress("Complete", score=score, outcome="Failed"), (25, 50, 75)) == expected


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (Progress("Complete", outcome="Expired"), 1),
        (Progress("Complete", failure_reason="Build Failure"), 1),
        (Progress("Complete", failure_reason="BUILD TIMEOUT"), 1),
        (Progress("Complete", failure_reason="expired"), 1),
        (Progress("Complete", failure_reason="Unit Tests", outcome="Failed"), None),
        (Progress("Complete", outcome="Passed"), None),
        (Progress("Complete"), None),
        (Progress("Complete", outcome="Expired", score=80), 4),
    ],
)
def test_the_rating_when_codescreen_states_an_outcome_or_a_reason(progress, expected):
    assert rate(progress, (25, 50, 75)) == expected


def test_the_rating_uses_the_organizations_thresholds():
    assert [rate(Progress("Complete", score=score), (10, 90, 100)) for score in (9, 10, 90, 99, 100)] == [
        1,
        2,
        3,
        3,
        4,
    ]
