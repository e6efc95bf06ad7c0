"""The figures of a benchmark: spreads, ratios, percentiles, tables."""

import pytest

from portal.devtools.benchmarks.benchmark import Table, p99, ratios, spread


def test_a_spread_has_the_median_between_the_quartiles():
    assert spread([5, 1, 3, 2, 4], 1) == "3.0 [2.0–4.0]"
    assert spread([0.5]) == "0.50 [0.50–0.50]"


def test_ratios_compare_each_round_with_its_own_yardstick():
    assert ratios([10, 30], [20, 10]) == [0.5, 3]


def test_ratios_refuse_a_round_without_its_yardstick():
    with pytest.raises(ValueError, match="shorter"):
        ratios([1, 2], [1])


def test_one_of_a_hundred_values_exceeds_the_99th_percentile():
    values = list(range(200, 0, -1))
    assert sum(value > p99(values) for value in values) == 2


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
