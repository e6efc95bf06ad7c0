"""All runs of the jobs: each without faults, which finds the places, with one fault, and with two."""

import logging
import os
import random
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.core.management.base import OutputWrapper
from django.db import connections
from django.test import override_settings

from integrations.audit.models.entry import AuditEntry
from integrations.management.migrating import migrate
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from portal.devtools import databases
from portal.devtools.chaos.every_point import children
from portal.devtools.chaos.every_point.children import Lost
from portal.devtools.chaos.every_point.faults import IN_PAIRS, Fault, FaultKind, Place, faults_at
from portal.devtools.chaos.every_point.injector import Injector
from portal.devtools.chaos.every_point.jobs import JOBS, PAIRED
from portal.devtools.chaos.every_point.jobs.job import FAILED_TAG, PASSED_TAG, Phase
from portal.devtools.chaos.every_point.platforms import ACCOUNT, Platforms
from portal.devtools.chaos.every_point.process import PretendProcess
from portal.devtools.chaos.every_point.promises import broken_promises
from portal.devtools.chaos.every_point.report import JobReport, Outcome, as_json
from portal.devtools.chaos.every_point.world import (
    ASSESSMENT,
    EARLIER,
    STAGE,
    NeverQuiet,
    World,
    connect,
    opportunity_id,
)
from portal.devtools.chaos.options import Options
from portal.devtools.clock import PretendClock
from portal.devtools.demo import provisioning
from portal.devtools.demo.environment import SERVER, DemoEnvironment
from portal.devtools.sandbox.values import stable_id

#: Where the databases are, on a machine that has this folder in memory.
MEMORY = Path("/dev/shm")  # noqa: S108
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


def enter(options: Options) -> NoReturn:
    """Make the environment and replace this process by the same command in it. Raises CommandError."""
    environment = DemoEnvironment.create("every-point", within=MEMORY if MEMORY.is_dir() else None)
    environment.enter(
        options.database_url,
        EMAIL_URL="memorymail://",
        LEVER_RATE="1000",
        LEVER_BURST="1000000",
        POLL_NOT_STARTED_SECONDS="3600",
        POLL_IN_PROGRESS_SECONDS="600",
        LOG_LEVEL="CRITICAL",
        PYTHONHASHSEED=str(options.seed),
    )


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

PLAIN_FILES = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
#: So long after a candidate entered the stage, Lever is connected.
CONNECTED_AFTER = 3600.0


def run_jobs(demo: DemoEnvironment, options: Options, log: Callable[[str], object]) -> dict[str, JobReport]:
    """Perform the jobs that the options ask for, each in a process of its own; return what they showed."""
    random.seed(options.seed)  # of the jitter, so that places have the same numbers in every run
    if os.environ[SERVER]:
        databases.prepare(os.environ["DATABASE_URL"])
    reports = {}
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
        world = World(clock, injector, platforms, process)
        for name, report in children.run_all(
            options.jobs, lambda name: _run_job(name, world, options), processes=1, most_seconds=None
        ):
            if isinstance(report, Lost):
                report = JobReport(name, failed={f"{name} was aborted": [report.reason]})
            log(report.as_text())
            reports[name] = report
    return reports


def _run_job(name: str, world: World, options: Options) -> JobReport:
    """Go through the job's phases; at each, fork a run for every fault in it."""
    report = JobReport(name)

    def perform_all(runs: Sequence[Faults], phases: Sequence[Phase]) -> list[Outcome]:
        connections.close_all()
        outcomes = []
        for faults, result in children.run_all(
            runs, lambda faults: perform(world, phases, faults), processes=os.cpu_count() or 1
        ):
            outcomes.append(Outcome(faults, (result.reason,)) if isinstance(result, Lost) else result)
            report.add(outcomes[-1])
        return outcomes

    for chain in JOBS[name]:
        for number, phase in enumerate(chain):
            [found] = perform_all([()], chain[number : number + 1])
            report.places.update(str(place.kind) for place in found.places)
            if found.violations:
                return report  # the job itself fails
            outcomes = perform_all(_first_runs(found.places, options), chain[number:])
            if name == PAIRED and not options.kinds:
                pairs = [pair for outcome in outcomes for pair in _pairs_after(outcome)]
                perform_all(_sample(pairs, options), chain[number:])
            phase(world)
    return report


def _first_runs(places: Sequence[Place], options: Options) -> Sequence[Faults]:
    """Return the runs that begin with a fault at one of these places."""
    if options.planned:
        return [options.planned] if options.planned[0].label in {place.label for place in places} else []
    kinds = options.kinds or tuple(FaultKind)
    return _sample([(fault,) for place in places for fault in faults_at(place, kinds)], options)


def _sample(runs: Sequence[Faults], options: Options) -> Sequence[Faults]:
    return runs[options.seed % options.sample :: options.sample]


def _pairs_after(outcome: Outcome) -> list[Faults]:
    """Return the pairs whose first fault is this run's, and whose second is at a place that it reached afterwards."""
    [first] = outcome.faults
    labels = [place.label for place in outcome.places]
    if first.kind not in IN_PAIRS or first.label not in labels:
        return []
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
            phase(world)
            violations += [f"{phase.__name__}: {what}" for what in broken_promises(world)]
        except NeverQuiet as error:
            violations.append(f"{phase.__name__}: {error}")
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


def handle(options: Options, stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    """Perform the runs and print what they showed; exits 1 if a promise was broken in one. Raises CommandError."""
    demo = DemoEnvironment.current()
    if demo is None:
        enter(options)
    logging.disable()  # of what the faults lead to
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        reports = run_jobs(demo, options, stderr.write if options.json else stdout.write)
    finally:
        demo.clear()
    if options.json:
        stdout.write(as_json(reports))
    if any(report.failed for report in reports.values()):
        sys.exit(1)
