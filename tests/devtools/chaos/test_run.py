"""The options of a `chaos` run, its candidates, its interruptions, and the table at its end."""

import json
from argparse import ArgumentParser

import pytest

from portal.devtools.chaos.every_point.faults import Fault, FaultKind, Place, PlaceKind, faults_at
from portal.devtools.chaos.interruptions import TABLE, table_of
from portal.devtools.chaos.load_generator import plan_workload
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.run import Table, Violation

# which runs the options ask for


def read(*words: str) -> Options:
    parser = ArgumentParser()
    Options.add_to(parser)
    return Options.read(vars(parser.parse_args(words)))


def test_the_defaults_are_a_short_run_with_faults() -> None:
    options = read()
    assert (options.events, options.faults, options.kill_every) == (200, 0.2, 2.0)
    assert options.has_faults


def test_a_kind_stands_for_those_whose_names_begin_with_it() -> None:
    options = read("--job", "main", "--fault", "killed")
    assert options.kinds == (FaultKind.KILLED_BEFORE, FaultKind.KILLED_AFTER)
    assert options.jobs == ("main",)


def test_one_place_has_its_own_fault() -> None:
    places = ("--at", "a #1", "--fault", "429", "--at", "b #1", "--fault", "500")
    options = read("--job", "invitation", *places)
    assert options.planned == (Fault("a #1", FaultKind.TOO_MANY), Fault("b #1", FaultKind.ERROR))


@pytest.mark.parametrize(
    "words",
    [
        "--faults 1.5",
        "--events 0",
        "--upgrade 10",
        "--kill-every -1",
        "--restore 5 --upgrade 5 --database-url postgresql://127.0.0.1/x",
        "--unreported",
        "--restore -1",
        "--database-url sqlite:///x",
        "--redis-url redis://127.0.0.1:6379",
        "--fault no-such",
        "--job main --at a",
        "--at a --fault 429",
        "--database-url mysql://127.0.0.1/x",
    ],
)
def test_impossible_options_are_refused_with_the_fix(words) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(*words.split())


def test_a_platforms_faults_happen_at_calls_alone() -> None:
    kinds = {fault.kind for fault in faults_at(Place("commit in a #1", PlaceKind.COMMIT))}
    assert kinds.isdisjoint({FaultKind.TOO_MANY, FaultKind.TIMEOUT_AFTER})
    assert FaultKind.KILLED_BEFORE in kinds


# the plan of the candidates and their moves


def test_a_workload_has_exactly_the_events_asked_for_and_depends_on_the_seed() -> None:
    first, again, other = (plan_workload(Options(events=500, seed=seed)) for seed in (1, 1, 2))
    assert first.events == 500
    assert [(c.email, s) for c, s in first.moves] == [(c.email, s) for c, s in again.moves]
    assert [(c.email, s) for c, s in first.moves] != [(c.email, s) for c, s in other.moves]


def test_each_candidate_moves_in_the_order_of_their_stages() -> None:
    workload = plan_workload(Options(events=300))
    for candidate in workload.candidates:
        stages = tuple(stage for moved, stage in workload.moves if moved is candidate)
        assert stages == candidate.stages


# the table of interruptions


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


# the table at the end


def test_a_table_names_the_broken_promises() -> None:
    figures = {"lost": 1, "verdicts": {"invite": 3}, "seconds": 2.5}
    table = Table("A run", figures, {Violation.LOST: ["o"]})
    assert not table.holds
    assert "BROKEN  lost: 1 (o)" in table.as_text()
    assert "invite 3" in table.as_text()
    assert json.loads(table.as_json())["broken"] == {"lost": ["o"]}
