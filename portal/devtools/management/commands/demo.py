"""Show the main job: the portal, its workers and the sandbox's Lever and CodeScreen, with a seeded organization."""

import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser

import requests
from django.core.management import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone

from portal.devtools.demo import provisioning
from portal.devtools.demo.check import Check
from portal.devtools.demo.environment import DemoEnvironment, Platforms
from portal.devtools.demo.history.writer import write_history
from portal.devtools.processes import HOST, RunFailed, claim_port, wait_for_url
from portal.process import startup
from portal.process.startup import queue_cluster
from portal.process.supervisor import Supervisor


class _Stopped(BaseException):
    """A signal came before the supervisor ran; the supervisor ends at a signal without this.

    Python ends by SIGINT after a KeyboardInterrupt that met the making of a class, even where that is caught.
    """


def _stop(*_: object) -> None:
    raise _Stopped


class Command(BaseCommand):
    help = "Show the main job with a pretend Lever and CodeScreen. Ends on Ctrl-C or TERM and leaves nothing behind."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help="the portal's port (default 8000, or a free one)")
        parser.add_argument(
            "--check", action="store_true", help="take one candidate from stage change to feedback, and end"
        )

    def handle(self, *, port: int | None, check: bool, **_: object) -> None:
        environment = DemoEnvironment.current()
        if environment is None:
            if port is not None and not (0 < port < 65536 and claim_port(port)):
                raise CommandError(f"Can't listen on {HOST}:{port}. Leave --port out to get a free port.")
            created = DemoEnvironment.create("demo", port)
            created.enter(**created.messages())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        try:
            succeeded = self._run(environment, check)
        except _Stopped:
            succeeded = not check
        finally:
            environment.clear()
        if not succeeded:
            sys.exit(1)

    def _run(self, environment: DemoEnvironment, is_check: bool) -> bool:
        self._begin(environment, "Making the database")
        startup.prepare(self.stderr)
        self._begin(environment, "Starting the pretend Lever, CodeScreen and mail server")
        with Platforms(environment) as platforms:
            self._begin(environment, "Making two weeks of history")
            write_history(environment, platforms, timezone.now())
            connections.close_all()
            return self._serve(environment, is_check)

    def _serve(self, environment: DemoEnvironment, is_check: bool) -> bool:
        self._begin(environment, "Starting the portal and its workers")
        supervisor = Supervisor([environment.web_server(), queue_cluster()])
        outcome: list[bool] = []

        def welcome_and_check() -> None:
            try:
                self._welcome(environment)
                outcome.append(Check(environment, self.stdout.write).run() if is_check else True)
            except (RunFailed, requests.RequestException) as error:
                self.stderr.write(f"The demo could not be set up: {error}")
                outcome.append(False)
            finally:
                connections.close_all()
                if is_check or not all(outcome):
                    os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=welcome_and_check, name="demo", daemon=True).start()
        supervisor.run()
        return all(outcome) and bool(outcome or not is_check)

    def _welcome(self, environment: DemoEnvironment) -> None:
        for url in environment.urls_to_wait_for:
            wait_for_url(url)
        self._begin(environment, "Ready")
        self._say(_WELCOME.format(at=environment, name=provisioning.USERNAME, password=provisioning.PASSWORD))

    def _begin(self, environment: DemoEnvironment, step: str) -> None:
        """Print a step as it begins, so that nobody waits without knowing for what."""
        self._say(f"  {time.time() - environment.began_at():5.1f} s  {step}")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


_WELCOME = """
The demo runs. Everything in it is pretend; it ends with Ctrl-C.

  Portal       {at.portal_url}/          sign in: {name} / {password}
               or, with the same password, as lead (Admin), recruiter (Team Member), newcomer (nothing set up yet)
  Admin        {at.portal_url}/admin/    every delivery, decision, invitation, result, effect and call
  Lever        {at.lever.url}/          move a candidate into “CodeScreen Assessment”
  CodeScreen   {at.codescreen.url}/          start, submit and evaluate their assessment
  E-mails      {at.mail_url}/          what the portal sends to the team
  Chat room    {at.mail_url}/chat      enter the address that it shows under Settings › Notifications

  Initech, shown first, has what CodeScreen gives every account: a score and no result. To try there:
               Roles and rules: map “Product Designer”, and invite the two who had no assessment
               Candidates: settle the two that were possibly sent (CodeScreen shows one of them), send the one on hold
               names: German, Japanese, and one of 46 letters
  Acme         asked CodeScreen for results; 46 candidates, every outcome, and an outage of CodeScreen
"""
