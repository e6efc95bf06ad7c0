"""What a bulk move is compared with."""

from portal.devtools.benchmarks.bulk import table


def test_the_bound_is_what_the_calls_take_at_levers_rate_after_its_burst():
    found = table(candidates=300, calls=320, refused=0, took=33.0)
    rows = {row[0]: row[1] for row in found.rows}
    assert rows["least time of these calls, at 10/s and 20"] == "30.0 s"
    assert rows["÷ the least time"] == "1.100"
    assert rows["calls to Lever a candidate"] == "1.07"
