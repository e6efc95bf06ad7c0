"""All runs of a part: its job without faults, which finds the places, with one fault, and with two."""

import logging
import random
import shutil
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import OutputWrapper
from django.db import connections
from django.test import override_settings

from integrations.audit.models.entry import AuditEntry
from integrations.management.migrating import migrate
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from portal.devtools.chaos.every_point import children, databases
from portal.devtools.chaos.every_point.children import Lost
from portal.devtools.chaos.every_point.clock import PretendClock
from portal.devtools.chaos.every_point.faults import IN_PAIRS, IN_REAL_PROCESSES, Fault, Place, faults_at
from portal.devtools.chaos.every_point.injector import Injector
from portal.devtools.chaos.every_point.jobs import JOBS
from portal.devtools.chaos.every_point.jobs.job import FAILED_TAG, PASSED_TAG, Phase
from portal.devtools.chaos.every_point.platforms import ACCOUNT, Platforms
from portal.devtools.chaos.every_point.process import DrainProcess, PretendProcess, RealProcess
from portal.devtools.chaos.every_point.promises import broken_promises
from portal.devtools.chaos.every_point.report import EveryPointOptions, Outcome, Part, PartReport, Report
from portal.devtools.chaos.every_point.world import (
    ASSESSMENT,
    EARLIER,
    STAGE,
    NeverQuiet,
    World,
    connect,
    opportunity_id,
)
from portal.devtools.demo import provisioning
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox.values import stable_id

WEBHOOK_KEY = "0123456789abcdef0123456789abcdef"
CONFIGURATION = """
[policies]
bulk_limit = 0
default_assessment = "{assessment}"
passed_tag = "{passed_tag}"
attach_report = true
failed_tag = "{failed_tag}"
[lever]
signature_token = "{signature_token}"
[codescreen]
api_key = "{api_key}"
[[mappings]]
role = "Backend Engineer"
assessment = "{assessment}"
[[mappings]]
role = "Frontend Engineer"
assessment = "{assessment}"
"""


def enter(options: EveryPointOptions) -> NoReturn:
    """Make the environment and replace this process by the same command in it. Raises psycopg.Error."""
    environment = DemoEnvironment.create("every-point")
    environment.enter(
        **databases.create(environment, options.database_url),
        EMAIL_URL="memorymail://",
        LEVER_RATE="1000",
        LEVER_BURST="1000000",
        POLL_NOT_STARTED_SECONDS="3600",
        POLL_IN_PROGRESS_SECONDS="600",
        LOG_LEVEL="CRITICAL",
        PYTHONHASHSEED=str(options.seed),
    )


def clear(environment: DemoEnvironment) -> None:
    """Remove what the runs made."""
    databases.clear(environment)
    shutil.rmtree(environment.folder, ignore_errors=True)


def set_up(environment: DemoEnvironment, platforms: Platforms) -> None:
    """Migrate the database, and configure the organization and its accounts at both platforms."""
    migrate(OutputWrapper(sys.stderr))
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    key = stable_id(ACCOUNT, "codescreen-key")
    platforms.lever_does("settings", rate_limit=0.0)
    platforms.lever_does("move", opportunities=[opportunity_id(EARLIER)], stage=STAGE)
    url = f"{environment.portal_url}/webhooks/lever/{WEBHOOK_KEY}/"
    webhook = platforms.lever_does("webhook", event="candidateStageChange", url=url)
    toml = provisioning.organization_toml("Acme", ACCOUNT, "owner") + CONFIGURATION.format(
        assessment=ASSESSMENT,
        passed_tag=PASSED_TAG,
        failed_tag=FAILED_TAG,
        signature_token=webhook["signature_token"],
        api_key=key,
    )
    provisioning.configure(environment.folder, ACCOUNT, toml)
    Organization.objects.filter(slug=ACCOUNT).update(webhook_key=WEBHOOK_KEY)


type Faults = tuple[Fault, ...]

NO_FAULTS: Faults = ()
SAMPLE_EVERY = 5
PLAIN_FILES = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
#: So long after a candidate entered the stage, Lever is connected.
CONNECTED_AFTER = 3600.0


def run_parts(demo: DemoEnvironment, options: EveryPointOptions, log: Callable[[str], object]) -> Report:
    """Perform the parts that the options ask for, each in a process of its own; return what they showed."""
    random.seed(options.seed)  # of the jitter, so that places have the same numbers in every run
    report = Report()
    with ExitStack() as stack:
        clock = stack.enter_context(PretendClock())
        injector = Injector(clock)
        platforms = Platforms(demo.lever_port, demo.codescreen_port, clock)
        stack.enter_context(platforms.reachable(injector))
        # pages need no collected files
        stack.enter_context(override_settings(STORAGES=settings.STORAGES | {"staticfiles": PLAIN_FILES}))
        set_up(demo, platforms)
        process = PretendProcess(clock, injector)
        process.warm_up()
        clock.advance(CONNECTED_AFTER)
        connect(platforms)
        stack.enter_context(injector.installed())
        connections.close_all()

        def run_part(part: Part) -> PartReport:
            world = World(clock, injector, platforms, process)
            return PartRuns(part, world, options, log).run()

        for part, result in children.run_all(options.parts, run_part, processes=1, most_seconds=None):
            if isinstance(result, Lost):
                result = PartReport(part, failed={f"{part} was aborted": [result.reason]})
            report.parts.append(result)
    return report


class PartRuns:
    """The runs of one part."""

    def __init__(
        self, part: Part, world: World, options: EveryPointOptions, log: Callable[[str], object]
    ) -> None:
        self._part = part
        self._world = world
        self._options = options
        self._log = log
        self._report = PartReport(part)
        self._in_drains = JOBS[part.job].in_drains

    def run(self) -> PartReport:
        """Go through the job's phases; at each, fork a run for every fault in it."""
        phases = JOBS[self._part.job].phases
        for number, phase in enumerate(phases):
            rest = [later for later in phases[number:] if later.about == phase.about]
            [found] = self._perform([NO_FAULTS], rest[:1])
            self._report.add_places(found.places)
            if found.violations:
                break  # the job itself fails
            begun = self._report.runs
            outcomes = self._perform(self._first_runs(found.places), rest)
            if self._part.has_pairs:
                pairs = [pair for outcome in outcomes for pair in _pairs_after(outcome)]
                self._perform(pairs, rest)
            self._log(
                f"{self._part}, {phase.name}: {len(found.places)} places, {self._report.runs - begun} runs"
            )
            if number + 1 < len(phases):
                phase.act(self._world)
        return self._report

    def _first_runs(self, places: Sequence[Place]) -> list[Faults]:
        """Return the runs that begin with a fault at one of these places."""
        chosen = self._options.faults
        if chosen:
            return [chosen] if chosen[0].label in {place.label for place in places} else []
        kinds = [kind for kind in self._options.kinds if kind in IN_PAIRS or not self._part.has_pairs]
        if self._part.has_processes:
            kinds = [kind for kind in kinds if kind in IN_REAL_PROCESSES]
        runs: list[Faults] = [(fault,) for place in places for fault in faults_at(place, kinds)]
        every = self._options.sample * (SAMPLE_EVERY if self._part.is_real else 1)
        return runs[self._options.seed % every :: every]

    def _perform(self, runs: Sequence[Faults], phases: Sequence[Phase]) -> list[Outcome]:
        connections.close_all()
        return list(self._outcomes(runs, phases))

    def _outcomes(self, runs: Sequence[Faults], phases: Sequence[Phase]) -> Iterator[Outcome]:
        def run(faults: Faults) -> Outcome:
            world = self._world
            if self._part.has_processes:
                world = in_real_processes(world, in_drains=self._in_drains)
            return perform(world, phases, faults)

        # real runs share the platforms' ports
        processes = 1 if self._part.has_processes else self._options.processes
        for faults, result in children.run_all(runs, run, processes=processes):
            outcome = Outcome(faults, (result.reason,)) if isinstance(result, Lost) else result
            lines = self._report.add(outcome)
            if lines:
                self._log(lines)
            yield outcome


def in_real_processes(world: World, *, in_drains: bool) -> World:
    """Return the world with real processes in it, which reach the platforms over sockets from now on."""
    world.platforms.serve()
    world.injector.kills_for_real = True
    kind = DrainProcess if in_drains else RealProcess
    return replace(world, process=kind(world.clock, world.injector))


def _pairs_after(outcome: Outcome) -> list[Faults]:
    """Return the pairs whose first fault is this run's, and whose second is at a place that it reached afterwards."""
    [first] = outcome.faults
    labels = [place.label for place in outcome.places]
    later = outcome.places[labels.index(first.label) + 1 :]
    return [(first, second) for place in later for second in faults_at(place, IN_PAIRS)]


def perform(world: World, phases: Sequence[Phase], faults: Faults) -> Outcome:
    """Go through the phases with these faults; after each, compare the books with the promises."""
    injector = world.injector
    begin, since = len(injector.trace.places), world.clock.now()
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
    performed = frozenset[str]() if faults else _performed(since)
    places = tuple(injector.trace.places[begin:])
    return Outcome(faults, tuple(violations), places, performed, bool(injector.outstanding))


def _performed(since: datetime) -> frozenset[str]:
    """Return the kinds of effects that were done and the acts that were recorded since then."""
    effects = Effect.objects.filter(state=Effect.State.DONE, done_at__gte=since)
    entries = AuditEntry.objects.filter(at__gte=since)
    return frozenset({*effects.values_list("kind", flat=True), *entries.values_list("action", flat=True)})


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options to the command."""
    EveryPointOptions.add_to(parser)


def handle(arguments: Mapping[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    """Perform the runs and print the report; exits 1 if a promise was broken in one. Raises CommandError."""
    try:
        options = EveryPointOptions.read(arguments)
    except ValueError as error:
        raise CommandError(str(error)) from error
    demo = DemoEnvironment.current()
    if demo is None:
        enter(options)
    logging.disable()  # of what the faults lead to
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        report = run_parts(demo, options, stderr.write)
    finally:
        clear(demo)
    stdout.write(report.as_json() if arguments["json"] else report.as_text())
    if not report.holds:
        sys.exit(1)
