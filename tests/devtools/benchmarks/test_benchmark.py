"""The figures of a benchmark: spreads, ratios, percentiles, and what a bulk move is compared with."""

from portal.devtools.benchmarks.benchmark import p99, ratios, spread
from portal.devtools.benchmarks.bulk import table


def test_a_spread_has_the_median_between_the_quartiles():
    assert spread([5, 1, 3, 2, 4], 1) == "3.0 [2.0–4.0]"
    assert spread([0.5]) == "0.50 [0.50–0.50]"


def test_ratios_compare_each_round_with_its_own_yardstick():
    assert ratios([10, 30], [20, 10]) == [0.5, 3]


def test_one_of_a_hundred_values_exceeds_the_99th_percentile():
    values = list(range(200, 0, -1))
    assert sum(value > p99(values) for value in values) == 2


def test_the_bound_is_what_the_calls_take_at_levers_rate_after_its_burst():
    found = table(candidates=300, calls=320, refused=0, took=33.0)
    rows = {row[0]: row[1] for row in found.rows}
    assert rows["least time of these calls, at 10/s and 20"] == "30.0 s"
    assert rows["÷ the least time"] == "1.100"
    assert rows["calls to Lever a candidate"] == "1.07"
