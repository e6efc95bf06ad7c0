"""Runs each in a forked process of its own, a few at a time: everything that this process holds is theirs to change."""

import gc
import multiprocessing
import os
import shutil
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path

from django.db import connection, connections

from portal.devtools.chaos.every_point.faults import Fault
from portal.devtools.chaos.every_point.places import Place

MOST_SECONDS = 120.0


@dataclass(frozen=True)
class Outcome:
    """What became of one run."""

    faults: tuple[Fault, ...]
    violations: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    unreached: tuple[Fault, ...] = ()


@dataclass
class _Child:
    process: ForkProcess
    results: Connection
    faults: tuple[Fault, ...] = field(default_factory=tuple)


def run_all(
    runs: Sequence[tuple[Fault, ...]], perform: Callable[[tuple[Fault, ...]], Outcome], processes: int
) -> Iterator[Outcome]:
    """Yield the outcome of each run, in the order in which they end. No connection may be open."""
    gc.collect()
    gc.freeze()
    waiting: list[tuple[Fault, ...]] = list(reversed(runs))
    children: list[_Child] = []
    while waiting or children:
        while waiting and len(children) < processes:
            children.append(_start(waiting.pop(), perform))
        ready = wait([child.results for child in children], MOST_SECONDS)
        for child in [child for child in children if not ready or child.results in ready]:
            children.remove(child)
            yield _finish(child, has_answered=bool(ready))
    gc.unfreeze()


def _start(faults: tuple[Fault, ...], perform: Callable[[tuple[Fault, ...]], Outcome]) -> _Child:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(theirs, faults, perform))
    process.start()
    theirs.close()
    return _Child(process, ours, faults)


def _finish(child: _Child, *, has_answered: bool) -> Outcome:
    outcome = Outcome(child.faults, (f"the run took longer than {MOST_SECONDS:g} s",))
    if has_answered:
        try:
            outcome = child.results.recv()
        except EOFError:
            outcome = Outcome(child.faults, ("the run's process ended without a result",))
    else:
        child.process.kill()
    child.process.join()
    child.results.close()
    return outcome


def _run(results: Connection, faults: tuple[Fault, ...], perform: Callable[..., Outcome]) -> None:
    """Perform one run on a copy of the database."""
    gc.disable()
    base = Path(str(connection.settings_dict["NAME"]))
    copy = base.with_name(f"{os.getpid()}.sqlite3")
    shutil.copyfile(base, copy)
    connection.settings_dict["NAME"] = str(copy)
    try:
        outcome = perform(faults)
    except Exception:  # noqa: BLE001 - whatever it was, it is the run's result
        outcome = Outcome(faults, (traceback.format_exc(),))
    finally:
        connections.close_all()
        for path in base.parent.glob(f"{copy.name}*"):
            path.unlink(missing_ok=True)
    results.send(outcome)
    results.close()
