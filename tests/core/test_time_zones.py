"""Time zones by their names."""

from zoneinfo import ZoneInfo

from integrations.core.time_zones import zone_of


def test_the_first_zone_that_there_is_counts_and_no_name_is_looked_up_as_a_file():
    assert zone_of("Europe/Berlin", "UTC") == ZoneInfo("Europe/Berlin")
    assert zone_of("", "../../etc/passwd", "Mars/Olympus", "America/New_York") == ZoneInfo("America/New_York")
    assert zone_of("").key == "UTC"
