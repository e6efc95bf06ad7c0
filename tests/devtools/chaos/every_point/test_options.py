"""Which runs the options of the proof at every point ask for."""

from argparse import ArgumentParser

import pytest

from portal.devtools.chaos.every_point.faults import Fault, FaultKind, Place, PlaceKind, faults_at
from portal.devtools.chaos.every_point.options import EveryPointOptions
from portal.devtools.chaos.run import Options


def read(*words: str) -> EveryPointOptions:
    parser = ArgumentParser()
    Options.add_to(parser)
    EveryPointOptions.add_to(parser)
    return EveryPointOptions.read(vars(parser.parse_args(["--every-point", *words])))


def test_a_kind_stands_for_those_whose_names_begin_with_it() -> None:
    options = read("--job", "main", "--fault", "killed")
    assert options.kinds == (FaultKind.KILLED_BEFORE, FaultKind.KILLED_AFTER)
    assert options.jobs == ("main",)


def test_one_place_has_its_own_fault() -> None:
    options = read("--job", "invitation", "--at", "a #1", "--fault", "429", "--at", "b #1", "--fault", "500")
    assert options.faults == (Fault("a #1", FaultKind.TOO_MANY), Fault("b #1", FaultKind.ERROR))


@pytest.mark.parametrize(
    "words",
    [
        ("--fault", "no-such"),
        ("--job", "main", "--at", "a #1"),
        ("--at", "a #1", "--fault", "429"),
        ("--database-url", "mysql://127.0.0.1/x"),
    ],
)
def test_impossible_options_are_refused(words) -> None:
    with pytest.raises(ValueError, match="--"):
        read(*words)


def test_a_platforms_faults_happen_at_calls_alone() -> None:
    kinds = {fault.kind for fault in faults_at(Place("commit in a #1", PlaceKind.COMMIT))}
    assert kinds.isdisjoint({FaultKind.TOO_MANY, FaultKind.TIMEOUT_AFTER})
    assert FaultKind.KILLED_BEFORE in kinds
