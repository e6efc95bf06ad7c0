"""Try to break the promises: faults at both platforms, kills, cuts; then count on the platforms' own books."""

import logging
import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import requests
from django.core.management import BaseCommand, CommandError
from django.core.management.base import OutputWrapper
from django.db import connections

from integrations.management import migrating
from integrations.queue import schedules
from portal.devtools.chaos import environment, tenants
from portal.devtools.chaos.attack_run import Forge
from portal.devtools.chaos.fault_run import Storm
from portal.devtools.chaos.ingest_run import Accept
from portal.devtools.chaos.load_runs import BulkMove, Outage
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.processes import Programs
from portal.devtools.chaos.proxy import Proxy
from portal.devtools.chaos.run import Run
from portal.devtools.chaos.stall_run import Wedge
from portal.devtools.chaos.table import Table
from portal.devtools.demo import provisioning
from portal.devtools.demo.environment import FOLDER, Stage
from portal.process import startup

logger = logging.getLogger(__name__)

TEND_EVERY = 0.5


class Command(BaseCommand):
    help = "Try to break the promises with faults, kills and cuts, and count on the pretend platforms' own books."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        Options.add_to(parser)

    def handle(self, **given: Any) -> None:
        try:
            options = Options.read(given)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if not environment.is_prepared():
            environment.begin(options)
        self._redirect(options)
        signal.signal(signal.SIGTERM, self._stop)
        try:
            with environment.before_redis(options) as redis:
                table = self._run(Stage.from_environment(), options, redis)
        finally:
            left = environment.clear(options)
            if left:
                self._say(left)
        self.stdout.write(table.as_json() if options.json else table.as_text())
        if not table.holds:
            sys.exit(1)

    def _redirect(self, options: Options) -> None:
        """Keep what hundreds of killed processes log off the terminal; only our own words go there."""
        self._terminal = os.fdopen(os.dup(2), "w", buffering=1)
        path = Path(options.log) if options.log else Path(os.environ[FOLDER], "chaos.log")
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 2)
        os.close(log)
        self.stderr = OutputWrapper(self._terminal)

    def _stop(self, *_: object) -> None:
        self._say("Told to stop.")
        sys.exit(143)

    def _say(self, words: str) -> None:
        self._terminal.write(f"{time.strftime('%H:%M:%S')}  {words}\n")

    def _run(self, stage: Stage, options: Options, redis: Proxy | None) -> Table:
        migrating.migrate(self.stderr)
        startup.collect_static()
        schedules.ensure_schedules()
        tenants.configure(options)
        connections.close_all()
        outcome: list[Table | Exception] = []
        with Programs(stage, redis) as programs:

            def go() -> None:
                try:
                    outcome.append(self._perform(stage, programs, options))
                except (provisioning.NotReady, requests.RequestException, CommandError) as error:
                    outcome.append(error)
                finally:
                    connections.close_all()

            scenario = threading.Thread(target=go, name="scenario", daemon=True)
            programs.start_portal()
            scenario.start()
            while scenario.is_alive():
                programs.tend()
                scenario.join(TEND_EVERY)
        if not outcome or isinstance(outcome[0], Exception):
            raise CommandError(f"The run broke off: {outcome[0] if outcome else 'see --log'}")
        return outcome[0]

    def _perform(self, stage: Stage, programs: Programs, options: Options) -> Table:
        for url in (f"{stage.lever_url}/", f"{stage.codescreen_url}/", f"{stage.portal_url}/healthz/live"):
            provisioning.wait_for(url)
        tenants.connect(stage, options)
        self._say("Everything runs and is connected.")
        runs: dict[str, type[Run]] = {
            "bulk": BulkMove,
            "outage": Outage,
            "accept": Accept,
            "wedge": Wedge,
            "forge": Forge,
        }
        run = next((run for name, run in runs.items() if getattr(options, name)), Storm)
        return run(stage, programs, options, self._say).run()
