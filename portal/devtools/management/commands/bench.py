"""Measure what the portal costs, as ratios to something measured in the same run."""

import os
import shutil
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import connections

from integrations.management import migrating
from integrations.models import Delivery, LeverWebhook, Organization
from integrations.queue import worker
from portal.devtools.benchmarks import endpoint
from portal.devtools.demo.environment import FOLDER, HOST, Stage
from portal.devtools.demo.provisioning import NotReady, wait_for
from portal.management.commands.serve import web
from portal.process import startup
from portal.process.supervisor import Supervisor

SIGNATURE_TOKEN = "bench" * 8


class Command(BaseCommand):
    help = "Measure the accept rate beside a view that only inserts, and our own cost per delivery."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--rounds", type=int, default=8, help="alternating rounds (default 8; 24 for a release)"
        )
        parser.add_argument("--seconds", type=float, default=2.0, help="length of a round (default 2)")
        parser.add_argument(
            "--database-url", default="", help="an empty database; SQLite in a temporary folder without it"
        )

    def handle(self, *, rounds: int, seconds: float, database_url: str, **_: Any) -> None:
        if rounds < 2 or seconds <= 0:
            raise CommandError("Give at least 2 rounds of more than 0 seconds.")
        if FOLDER not in os.environ:
            self._begin(database_url)
        folder = Path(os.environ[FOLDER])
        try:
            self._measure(Stage.from_environment(), rounds, seconds)
        except (NotReady, RuntimeError, OSError) as error:
            raise CommandError(f"The benchmark could not be run: {error}") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _begin(self, database_url: str) -> None:
        """Start again in an environment of the benchmark's own."""
        folder = Path(tempfile.mkdtemp(prefix="codescreen-lever-bench-"))
        environ = os.environ | Stage.choose(None).environment(folder)
        environ |= {"DJANGO_SETTINGS_MODULE": "portal.devtools.benchmarks.settings", "LOG_LEVEL": "ERROR"}
        if database_url:
            environ["DATABASE_URL"] = database_url
        manage = str(settings.BASE_DIR / "manage.py")
        os.execve(sys.executable, [sys.executable, manage, *sys.argv[1:]], environ)  # noqa: S606

    def _measure(self, stage: Stage, rounds: int, seconds: float) -> None:
        migrating.migrate(self.stderr)
        startup.collect_static()
        organization = Organization.objects.create(name="Bench", slug="bench")
        LeverWebhook.objects.create(organization=organization, signature_token=SIGNATURE_TOKEN)
        door = f"/webhooks/lever/{organization.webhook_key}/"
        connections.close_all()
        with Supervisor([web(HOST, stage.port)]):
            wait_for(f"{stage.portal_url}/healthz/live")
            endpoint.compare(stage.portal_url, door, SIGNATURE_TOKEN, 1, 1.0)  # warm up
            doors, plains = endpoint.compare(stage.portal_url, door, SIGNATURE_TOKEN, rounds, seconds)
        self.stdout.write(endpoint.report(doors, plains))
        self._measure_deciding()

    def _measure_deciding(self) -> None:
        """What one delivery costs us from the claim to the verdict, where no platform is asked."""
        Delivery.objects.filter(due_at__isnull=False).update(leased_until=None)
        before, wall = time.process_time(), time.monotonic()
        count = worker.work(deadline=time.monotonic() + 5)
        cpu, wall = time.process_time() - before, time.monotonic() - wall
        if count:
            self.stdout.write(
                f"our own cost           {cpu / count * 1000:.1f} ms of CPU a delivery\n"
                f"                       {count / wall:.0f} a second in one thread, "
                f"{count / wall / 10:.0f} × what Lever's 10 calls a second need"
            )
