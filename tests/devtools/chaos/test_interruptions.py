"""The table of interruptions."""

import pytest

from portal.devtools.chaos.interruptions import TABLE, table_of
from portal.devtools.chaos.run import Options

SERVER = Options(database_url="postgresql://127.0.0.1/x")


def made(turn: int, options: Options) -> list[str]:
    return [row.what for row in table_of(options) if row.is_due(turn) and row.is_possible(options)]


@pytest.mark.parametrize(
    ("turn", "expected"),
    [(1, ["kill"]), (4, ["kill", "restart"]), (6, ["kill", "cut"]), (64, ["kill", "restart"])],
)
def test_interruptions_are_made_in_their_turns(turn, expected) -> None:
    assert made(turn, SERVER) == expected


def test_only_what_the_run_has_is_interrupted() -> None:
    plain = Options()
    everything = Options(database_url="postgresql://x", redis_url="redis://x/1", freeze=True)
    names = [
        {name for turn in range(1, 12) for name in made(turn, options)} for options in (plain, everything)
    ]
    assert names == [{"kill", "restart"}, {row.what for row in TABLE}]


def test_nothing_but_term_interrupts_a_run_of_restarts() -> None:
    assert [made(turn, Options(restarts=True)) for turn in (1, 2, 6)] == [["restart"]] * 3
