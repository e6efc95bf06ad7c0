"""Measure what the portal costs, as ratios to something measured in the same run."""

import shutil
import time
from argparse import ArgumentParser

from django.core.management import BaseCommand, CommandError
from django.db import connections

from integrations.models import Delivery, LeverWebhook, Organization
from integrations.queue import worker
from portal.devtools.benchmarks import accept_rate, chain_cost, claim_cost, duty_rounds
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.waiting import RunFailed, wait_for_url
from portal.process import startup
from portal.process.supervisor import Supervisor

SIGNATURE_TOKEN = "bench" * 8
LEVER_CALLS_PER_SECOND = 10


class Command(BaseCommand):
    help = (
        "Measure the accept rate beside a view that only inserts, our own cost per delivery, and a claim's."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--rounds", type=int, default=8, help="alternating rounds (default 8; 24 for a release)"
        )
        parser.add_argument("--seconds", type=float, default=2.0, help="length of a round (default 2)")
        parser.add_argument(
            "--database-url", default="", help="an empty database; SQLite in a temporary folder without it"
        )

        parser.add_argument(
            "--organizations", type=int, default=0, help="instead, do the duties of so many organizations"
        )
        parser.add_argument(
            "--chain", action="store_true", help="instead, write audit entries with their chain and without"
        )
        parser.add_argument("--minutes", type=float, default=15.0, help="how long (default 15)")

    def handle(
        self,
        *,
        rounds: int,
        seconds: float,
        database_url: str,
        organizations: int,
        minutes: float,
        chain: bool,
        **_: object,
    ) -> None:
        if rounds < 2 or seconds <= 0:
            raise CommandError("Give at least 2 rounds of more than 0 seconds.")
        environment = DemoEnvironment.current()
        if environment is None:
            changes = {"DJANGO_SETTINGS_MODULE": "portal.devtools.benchmarks.settings", "LOG_LEVEL": "ERROR"}
            if database_url:
                changes["DATABASE_URL"] = database_url
            DemoEnvironment.create("bench").enter(**changes)
        try:
            if chain:
                startup.prepare(self.stderr)
                self.stdout.write(chain_cost.measure(rounds, seconds))
                return
            if organizations:
                startup.prepare(self.stderr)
                duty_rounds.run(environment, organizations, minutes * 60, self.stdout.write)
                return
            self._measure_accepting(environment, rounds, seconds)
            self._measure_deciding()
            self.stdout.write(claim_cost.measure().as_text())
        except (RunFailed, RuntimeError, OSError) as error:
            raise CommandError(f"The benchmark could not be run: {error}") from error
        finally:
            shutil.rmtree(environment.folder, ignore_errors=True)

    def _measure_accepting(self, environment: DemoEnvironment, rounds: int, seconds: float) -> None:
        startup.prepare(self.stderr)
        organization = Organization.objects.create(name="Bench", slug="bench")
        LeverWebhook.objects.create(organization=organization, signature_token=SIGNATURE_TOKEN)
        url, path = environment.portal_url, f"/webhooks/lever/{organization.webhook_key}/"
        connections.close_all()
        with Supervisor([environment.web_server()]):
            wait_for_url(f"{url}/healthz/live")
            accept_rate.compare(url, path, SIGNATURE_TOKEN, 1, 1.0)  # warm up
            comparison = accept_rate.compare(url, path, SIGNATURE_TOKEN, rounds, seconds)
        self.stdout.write(comparison.as_text())

    def _measure_deciding(self) -> None:
        """Print what one delivery costs from the claim to the verdict, where no platform is called."""
        Delivery.objects.filter(due_at__isnull=False).update(leased_until=None)
        cpu_before, time_before = time.process_time(), time.monotonic()
        count = worker.work(deadline=time.monotonic() + 5)
        cpu, elapsed = time.process_time() - cpu_before, time.monotonic() - time_before
        if count:
            rate = count / elapsed
            self.stdout.write(
                f"our own cost           {cpu / count * 1000:.1f} ms of CPU a delivery\n"
                f"                       {rate:.0f} a second in one thread, "
                f"{rate / LEVER_CALLS_PER_SECOND:.0f} × what Lever's {LEVER_CALLS_PER_SECOND} calls a second need"
            )
