"""The figures of a benchmark: spreads, ratios, percentiles, tables."""

import json

import pytest

from portal.devtools.benchmarks.benchmark import Report, Spread, Table, percentile, ratios


def test_a_spread_has_the_median_between_the_quartiles():
    assert Spread.of([5, 1, 3, 2, 4]).as_text(1) == "3.0 [2.0–4.0]"


def test_a_spread_of_one_value_is_that_value():
    assert Spread.of([0.5]) == Spread(0.5, 0.5, 0.5)


def test_ratios_compare_each_round_with_its_own_yardstick():
    assert ratios([10, 30], [20, 10]) == [0.5, 3]


def test_ratios_refuse_a_round_without_its_yardstick():
    with pytest.raises(ValueError, match="shorter"):
        ratios([1, 2], [1])


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (99, 99), (100, 100), (1, 1)])
def test_a_percentile_is_the_smallest_value_that_so_many_percent_do_not_exceed(percent, value):
    assert percentile(list(range(100, 0, -1)), percent) == value


def test_a_percentile_of_one_value_is_that_value():
    assert percentile([7.0], 99) == 7.0


def test_a_table_is_aligned_markdown():
    table = Table("Claims", ("figure", "ms"), [("one organization", "5"), ("many", "41.5")])
    assert table.as_text().splitlines() == [
        "Claims",
        "",
        "| figure           | ms   |",
        "|------------------|------|",
        "| one organization | 5    |",
        "| many             | 41.5 |",
    ]


def test_the_numbers_are_kept_with_the_machine():
    kept = json.loads(Report([], {"rounds": [1.5]}).as_json({"cores": 2}))
    assert kept == {"machine": {"cores": 2}, "numbers": {"rounds": [1.5]}}
