"""Inject faults, kills and load, then verify the portal's promises by the sandbox's ledgers."""

import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

import requests
from django.core.management import BaseCommand, CommandError
from django.core.management.base import OutputWrapper
from django.db import connections

from portal.devtools.chaos import tenants
from portal.devtools.chaos.every_point import runs as every_point
from portal.devtools.chaos.fault_run import READ_SECONDS, FaultRun
from portal.devtools.chaos.interruptions import flush_redis
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.processes import Processes
from portal.devtools.chaos.restore_run import RestoreRun
from portal.devtools.chaos.run import Run, Table
from portal.devtools.chaos.upgrade_run import UpgradeRun
from portal.devtools.demo import provisioning
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import RunFailed, wait_for_url
from portal.process import startup

RECONCILE_EVERY = 0.5


class Command(BaseCommand):
    help = "Try to break the promises with faults, kills and cuts; exits 1 if the sandbox's ledgers show a broken one."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        Options.add_to(parser)

    def handle(self, **arguments: Any) -> None:
        try:
            options = Options.read(arguments)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options.every_point:
            every_point.handle(options, self.stdout, self.stderr)
            return
        environment = DemoEnvironment.current()
        if environment is None:
            _enter(options)
        self._redirect_standard_error(environment, options)
        signal.signal(signal.SIGTERM, self._stop)
        try:
            with Processes(environment) as processes:
                table = self._run(environment, processes, options)
        finally:
            environment.clear()
            flush_redis(options)
        self.stdout.write(table.as_json() if options.json else table.as_text())
        if not table.holds:
            sys.exit(1)

    def _redirect_standard_error(self, environment: DemoEnvironment, options: Options) -> None:
        """Keep the logs of hundreds of killed processes off the terminal; only `_log()` writes there."""
        self._terminal = os.fdopen(os.dup(2), "w", buffering=1)
        path = Path(options.log) if options.log else environment.folder / "chaos.log"
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 2)
        os.close(log)
        self.stderr = OutputWrapper(self._terminal)

    def _stop(self, *_: object) -> None:
        self._log("Stopping after TERM.")
        sys.exit(143)

    def _log(self, text: str) -> None:
        self._terminal.write(f"{time.strftime('%H:%M:%S')}  {text}\n")

    def _run(self, environment: DemoEnvironment, processes: Processes, options: Options) -> Table:
        """Run the scenario in a thread, and replace ended processes in this one, as `serve` does."""
        startup.prepare(self.stderr)
        tenants.configure(environment)
        connections.close_all()
        outcome: list[Table | Exception] = []

        def run_scenario() -> None:
            try:
                self._connect(environment, options)
                outcome.append(_run_type(options)(environment, processes, options, self._log).run())
            except (RunFailed, requests.RequestException, CommandError) as error:
                outcome.append(error)
            finally:
                connections.close_all()

        scenario = threading.Thread(target=run_scenario, name="scenario", daemon=True)
        processes.start_portal()
        scenario.start()
        while scenario.is_alive():
            processes.reconcile()
            scenario.join(RECONCILE_EVERY)
        if not outcome or isinstance(outcome[0], Exception):
            raise CommandError(f"The run was aborted: {outcome[0] if outcome else 'see --log'}")
        return outcome[0]

    def _connect(self, environment: DemoEnvironment, options: Options) -> None:
        for url in environment.urls_to_wait_for:
            wait_for_url(url)
        browser = tenants.connect(environment, is_limited=not options.has_faults)
        if options.has_faults:
            provisioning.add_webhook_by_hand(environment, browser, tenants.SLUG)
        self._log("Everything is started and connected.")


def _enter(options: Options) -> NoReturn:
    """Make the run's environment and replace this process by the same command in it. Raises CommandError."""
    flush_redis(options)
    changes = {
        "REDIS_URL": options.redis_url,
        "WEB_WORKERS": "2",
        "POLL_NOT_STARTED_SECONDS": str(options.poll_seconds),
        "POLL_IN_PROGRESS_SECONDS": str(options.poll_seconds),
    }
    if options.has_faults:
        # without the rate limit thousands of events take minutes; `bench bulk` has it
        changes |= {"LEVER_RATE": "1000", "LEVER_BURST": "1000000"}
        changes["PLATFORM_READ_SECONDS"] = str(READ_SECONDS)
    DemoEnvironment.create("chaos").enter(options.database_url, **changes)


def _run_type(options: Options) -> type[Run]:
    """Return the run that the options ask for."""
    if options.restore:
        return RestoreRun
    if options.upgrade:
        return UpgradeRun
    return FaultRun
