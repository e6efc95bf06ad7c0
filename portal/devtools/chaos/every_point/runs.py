"""All runs of a job: first without faults, which finds its places, then with one fault each, then with two."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from django.db import connections

from portal.devtools.chaos.every_point import children, environment
from portal.devtools.chaos.every_point.children import Outcome
from portal.devtools.chaos.every_point.clock import PretendClock
from portal.devtools.chaos.every_point.faults import Fault, faults_at
from portal.devtools.chaos.every_point.injector import Injector
from portal.devtools.chaos.every_point.job import JOBS, Phase
from portal.devtools.chaos.every_point.options import EveryPointOptions
from portal.devtools.chaos.every_point.places import Place
from portal.devtools.chaos.every_point.platforms import Platforms
from portal.devtools.chaos.every_point.process import PretendProcess
from portal.devtools.chaos.every_point.promises import broken_promises
from portal.devtools.chaos.every_point.report import Report
from portal.devtools.chaos.every_point.world import NeverQuiet, World, connect
from portal.devtools.demo.environment import DemoEnvironment


class EveryPoint:
    """The runs that the options ask for."""

    def __init__(
        self, demo: DemoEnvironment, options: EveryPointOptions, log: Callable[[str], object]
    ) -> None:
        self._demo = demo
        self._options = options
        self._log = log

    def run(self) -> Report:
        """Perform all runs and return what they showed."""
        report = Report()
        with ExitStack() as stack:
            clock = stack.enter_context(PretendClock())
            injector = Injector(clock)
            platforms = Platforms(self._demo.lever_port, self._demo.codescreen_port, clock)
            stack.enter_context(platforms.reachable(injector))
            environment.set_up(self._demo, platforms, self._options.idempotency)
            process = PretendProcess(clock, injector)
            process.warm_up()
            connect(platforms)
            world = World(clock, injector, platforms, process, self._options.idempotency)
            stack.enter_context(injector.installed())
            self._run_phases(world, JOBS[self._options.job], report)
        return report

    def _run_phases(self, world: World, phases: Sequence[Phase], report: Report) -> None:
        for number, phase in enumerate(phases):
            rest = [later for later in phases[number:] if later.word == phase.word]
            connections.close_all()
            no_faults: tuple[Fault, ...] = ()
            [found] = self._fork([no_faults], world, rest[:1])
            report.add_phase(phase.name, found)
            if found.violations:
                return  # the job itself fails
            singles = self._singles(found.places)
            for outcome in self._fork(singles, world, rest):
                report.add(outcome)
            self._log(f"{phase.name}: {len(found.places)} places, {len(singles)} runs")
            if number + 1 < len(phases):
                phase.act(world)

    def _singles(self, places: Sequence[Place]) -> list[tuple[Fault, ...]]:
        """Return the runs that begin with a fault at one of these places."""
        chosen = self._options.faults
        if chosen:
            return [chosen] if chosen[0].label in {place.label for place in places} else []
        return [(fault,) for place in places for fault in faults_at(place, self._options.kinds)]

    def _fork(
        self, runs: Sequence[tuple[Fault, ...]], world: World, phases: Sequence[Phase]
    ) -> Iterator[Outcome]:
        return children.run_all(runs, lambda faults: perform(world, phases, faults), self._options.processes)


def perform(world: World, phases: Sequence[Phase], faults: tuple[Fault, ...]) -> Outcome:
    """Go through a candidate's phases with these faults; after each, compare the books with the promises."""
    injector = world.injector
    begin = len(injector.trace.places)
    injector.plan(faults)
    violations: list[str] = []
    for phase in phases:
        try:
            phase.act(world)
        except NeverQuiet as error:
            violations.append(f"{phase.name}: {error}")
            break
        violations += [f"{phase.name}: {what}" for what in broken_promises(world)]
        if violations:
            break
    return Outcome(
        faults,
        tuple(violations),
        tuple(injector.trace.places[begin:]),
        unreached=tuple(injector.outstanding),
    )
