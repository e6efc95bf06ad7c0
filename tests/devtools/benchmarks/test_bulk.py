"""What a bulk move is compared with."""

import pytest

from portal.devtools.benchmarks.bulk import BulkMove, report
from portal.devtools.chaos.run import Verification


@pytest.fixture
def move():
    """A move of 300 candidates by 320 calls, whose bound is thirty seconds."""
    return BulkMove(
        candidates=300,
        emails=300,
        lever_calls=320,
        answered_429=0,
        last_email=30.0,
        last_tag=33.0,
        other_email=0.5,
        verification=Verification(),
    )


def test_the_bound_is_what_the_calls_take_at_levers_rate_after_its_burst(move):
    assert move.least_seconds == pytest.approx(30.0)
    assert move.time_over_bound == pytest.approx(1.1)
    assert move.calls_per_candidate == pytest.approx(320 / 300)


def test_the_report_has_the_ratio_and_every_measured_number(move):
    found = report(move)
    assert ("÷ the least time", "1.100") in found.tables[0].rows
    assert found.numbers["lever_calls"] == 320
    assert found.numbers["other_email"] == 0.5
    assert "verification" not in found.numbers
