"""Which runs the options of `chaos` ask for."""

from argparse import ArgumentParser

import pytest

from portal.devtools.chaos.every_point.faults import Fault, FaultKind, Place, PlaceKind, faults_at
from portal.devtools.chaos.every_point.options import EveryPointOptions
from portal.devtools.chaos.run import Options


def read[Asked: (Options, EveryPointOptions)](kind: type[Asked], *words: str) -> Asked:
    parser = ArgumentParser()
    Options.add_to(parser)
    EveryPointOptions.add_to(parser)
    return kind.read(vars(parser.parse_args(words)))


def test_the_defaults_are_a_short_run_with_faults() -> None:
    options = read(Options)
    assert (options.events, options.faults, options.kill_every) == (200, 0.2, 2.0)
    assert options.has_faults


def test_a_kind_stands_for_those_whose_names_begin_with_it() -> None:
    options = read(EveryPointOptions, "--job", "main", "--fault", "killed")
    assert options.kinds == (FaultKind.KILLED_BEFORE, FaultKind.KILLED_AFTER)
    assert options.jobs == ("main",)


def test_one_place_has_its_own_fault() -> None:
    places = ("--at", "a #1", "--fault", "429", "--at", "b #1", "--fault", "500")
    options = read(EveryPointOptions, "--job", "invitation", *places)
    assert options.faults == (Fault("a #1", FaultKind.TOO_MANY), Fault("b #1", FaultKind.ERROR))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Options, "--faults 1.5"),
        (Options, "--events 0"),
        (Options, "--upgrade 10"),
        (Options, "--kill-every -1"),
        (Options, "--restore 5 --upgrade 5 --database-url postgresql://127.0.0.1/x"),
        (Options, "--unreported"),
        (Options, "--restore -1"),
        (Options, "--database-url sqlite:///x"),
        (Options, "--redis-url redis://127.0.0.1:6379"),
        (EveryPointOptions, "--fault no-such"),
        (EveryPointOptions, "--job main --at a"),
        (EveryPointOptions, "--at a --fault 429"),
        (EveryPointOptions, "--database-url mysql://127.0.0.1/x"),
    ],
)
def test_impossible_options_are_refused_with_the_fix(kind, words) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(kind, *words.split())


def test_a_platforms_faults_happen_at_calls_alone() -> None:
    kinds = {fault.kind for fault in faults_at(Place("commit in a #1", PlaceKind.COMMIT))}
    assert kinds.isdisjoint({FaultKind.TOO_MANY, FaultKind.TIMEOUT_AFTER})
    assert FaultKind.KILLED_BEFORE in kinds
