"""Runs each in a forked process of its own, a few at a time: everything that this process holds is theirs to change."""

import gc
import multiprocessing
import random
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess

from portal.devtools.chaos.every_point import databases

MOST_SECONDS = 120.0
TRACEBACK_LINES = 12


@dataclass(frozen=True)
class Lost:
    """A run that ended without a result, and why."""

    reason: str


@dataclass(frozen=True)
class _Child[Task, Result]:
    process: ForkProcess
    results: "Connection[object, Result | Lost]"
    task: Task


def run_all[Task, Result](
    tasks: Sequence[Task],
    perform: Callable[[Task], Result],
    *,
    processes: int,
    most_seconds: float | None = MOST_SECONDS,
) -> Iterator[tuple[Task, Result | Lost]]:
    """Yield each task with its result, in the order in which they end. No connection may be open."""
    gc.collect()
    gc.freeze()
    waiting, children = list(reversed(tasks)), list[_Child[Task, Result]]()
    while waiting or children:
        while waiting and len(children) < processes:
            children.append(_start(waiting.pop(), perform))
        ready = wait([child.results for child in children], most_seconds)
        for child in [child for child in children if not ready or child.results in ready]:
            children.remove(child)
            yield child.task, _finish(child, has_answered=bool(ready))
    gc.unfreeze()


def _start[Task, Result](task: Task, perform: Callable[[Task], Result]) -> _Child[Task, Result]:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(theirs, task, perform, random.getstate()))
    process.start()
    theirs.close()
    return _Child(process, ours, task)


def _finish[Task, Result](child: _Child[Task, Result], *, has_answered: bool) -> Result | Lost:
    result: Result | Lost = Lost("the run took too long")
    if has_answered:
        try:
            result = child.results.recv()
        except EOFError:
            result = Lost("the run's process ended without a result")
    else:
        child.process.kill()
    child.process.join()
    child.results.close()
    return result


def _run[Task, Result](
    results: "Connection[Result | Lost, object]",
    task: Task,
    perform: Callable[[Task], Result],
    state: tuple[object, ...],
) -> None:
    """Perform one task on a copy of the database."""
    gc.disable()
    random.setstate(state)  # Python gives a forked process another seed
    try:
        with databases.own_copy():
            result: Result | Lost = perform(task)
    except Exception:  # noqa: BLE001 - whatever it was, it is the run's result
        result = Lost("".join(traceback.format_exc().splitlines(keepends=True)[-TRACEBACK_LINES:]))
    results.send(result)
    results.close()
