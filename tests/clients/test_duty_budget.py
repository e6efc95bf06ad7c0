"""Where a duty's next turn goes on: what is stored of it, and what is read back."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from integrations.clients.duty_budget import Place

BEGAN = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Listing(Place):
    stages: list[str]
    began: datetime
    until: datetime | None
    since: datetime | None = None
    next: str = ""


@pytest.mark.parametrize(
    "place",
    [
        Listing(["first", "second"], BEGAN, None),
        Listing([], BEGAN, BEGAN, since=BEGAN, next="2026-03-01T08:30:00+00:00"),
    ],
    ids=["as it began", "every field"],
)
def test_a_place_is_read_back_as_it_was_stored(place):
    assert Listing.from_json(place.to_json()) == place


def test_times_are_stored_as_texts():
    assert Listing(["first"], BEGAN, None).to_json() == {
        "stages": ["first"],
        "began": "2026-03-01T08:30:00+00:00",
        "until": None,
        "since": None,
        "next": "",
    }


def test_a_missing_key_has_its_default_and_an_unknown_one_is_ignored():
    stored = {"stages": ["first"], "began": BEGAN.isoformat(), "until": None, "page": 3}
    assert Listing.from_json(stored) == Listing(["first"], BEGAN, None)


@pytest.mark.parametrize("missing", ["stages", "began", "until"])
def test_the_turn_begins_anew_where_a_required_key_is_missing(missing):
    stored = Listing(["first"], BEGAN, None).to_json()
    del stored[missing]
    assert Listing.from_json(stored) is None


def test_there_is_no_place_where_nothing_was_stored():
    assert Listing.from_json({}) is None
