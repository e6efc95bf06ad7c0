"""Show the main job: the portal, its workers and a pretend Lever and CodeScreen, with a seeded organization."""

import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import connections

from integrations.management import migrating
from integrations.queue import notify, schedules
from portal.devtools.demo import provisioning
from portal.devtools.demo.check import Check
from portal.devtools.demo.environment import FOLDER, HOST, Stage, claim
from portal.management.commands.serve import web, workers
from portal.process import startup
from portal.process.supervisor import Supervisor

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Show the main job with a pretend Lever and CodeScreen. Ends on Ctrl-C or TERM and leaves nothing behind."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help="the portal's port (default 8000, or a free one)")
        parser.add_argument(
            "--check", action="store_true", help="take one candidate through by itself and end"
        )

    def handle(self, *, port: int | None, check: bool, **_: Any) -> None:
        if FOLDER not in os.environ:
            self._begin(port)
        folder = Path(os.environ[FOLDER])
        try:
            succeeded = self._run(Stage.from_environment(), folder, check)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if not succeeded:
            sys.exit(1)

    def _begin(self, port: int | None) -> None:
        """Start again in an environment of the demo's own, since settings are read before a command runs."""
        if port is not None and not (0 < port < 65536 and claim(port)):
            raise CommandError(f"Can't listen on {HOST}:{port}. Leave --port out to get a free port.")
        folder = Path(tempfile.mkdtemp(prefix="codescreen-lever-demo-"))
        environ = os.environ | Stage.choose(port).environment(folder)
        manage = str(settings.BASE_DIR / "manage.py")
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, manage, *sys.argv[1:]], environ)  # noqa: S606

    def _run(self, stage: Stage, folder: Path, is_check: bool) -> bool:
        migrating.migrate(self.stderr)
        startup.collect_static()
        schedules.ensure_schedules()
        secret = provisioning.seed(folder)
        connections.close_all()
        supervisor = Supervisor(
            [web(HOST, stage.port), workers(), stage.sandbox()], every_second=notify.notify_if_due
        )
        outcome: list[bool] = []

        def go() -> None:
            try:
                self._get_ready(stage, secret)
                outcome.append(Check(stage, self.stdout.write).run() if is_check else True)
            except (provisioning.NotReady, requests.RequestException) as error:
                self.stderr.write(f"The demo could not be set up: {error}")
                outcome.append(False)
            finally:
                connections.close_all()
                if is_check or not all(outcome):
                    os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=go, name="demo", daemon=True).start()
        supervisor.run()
        return all(outcome) and bool(outcome or not is_check)

    def _get_ready(self, stage: Stage, secret: str) -> None:
        for url in (f"{stage.lever_url}/", f"{stage.codescreen_url}/", f"{stage.portal_url}/healthz/live"):
            provisioning.wait_for(url)
        provisioning.connect(stage, secret)
        self.stdout.write(
            _WELCOME.format(stage=stage, name=provisioning.USERNAME, password=provisioning.PASSWORD)
        )
        self.stdout.flush()


_WELCOME = """
The demo runs. Everything in it is pretend; it ends with Ctrl-C.

  Portal       {stage.portal_url}/          sign in: {name} / {password}
               Acme is connected. To connect an organization yourself, sign in as newcomer / {password}
  Admin        {stage.portal_url}/admin/    every delivery, verdict, invitation, result, effect and call
  Lever        {stage.lever_url}/          move a candidate into “CodeScreen Assessment”
  CodeScreen   {stage.codescreen_url}/          start, submit and evaluate their assessment
"""
