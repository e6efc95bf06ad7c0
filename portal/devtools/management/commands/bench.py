"""Measure what the portal costs, as ratios to something measured in the same run."""

import os
import shutil
from argparse import ArgumentParser, Namespace

import psycopg
from django.core.management import BaseCommand, CommandError
from django.db import connections

from portal.devtools import databases
from portal.devtools.benchmarks.benchmark import Benchmark, Setup, machine
from portal.devtools.benchmarks.bulk import BulkBenchmark
from portal.devtools.benchmarks.endpoint import EndpointBenchmark
from portal.devtools.benchmarks.latency import LatencyBenchmark
from portal.devtools.benchmarks.workflow import WorkflowBenchmark
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import RunFailed
from portal.process import startup

#: The name of the benchmark's own database, in its environment; without it the database is a SQLite file.
DATABASE_VARIABLE = "PORTAL_BENCH_DATABASE"

BENCHMARKS: tuple[Benchmark, ...] = (
    EndpointBenchmark(),
    WorkflowBenchmark(),
    BulkBenchmark(),
    LatencyBenchmark(),
)


class Command(BaseCommand):
    help = "Measure one part of the portal beside a yardstick of the same run, and print a table."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = parser.add_subparsers(dest="benchmark", required=True, metavar="benchmark")
        for benchmark in BENCHMARKS:
            own = names.add_parser(benchmark.name, help=benchmark.help)
            own.add_argument(
                "--database-url",
                default="",
                help="a PostgreSQL server, on which the benchmark makes a database of its own; SQLite without it",
            )
            own.add_argument(
                "--redis-url", default="", help="a Redis database that may be emptied; none without it"
            )
            benchmark.add_arguments(own)

    def handle(self, *, benchmark: str, **values: object) -> None:
        options = Namespace(**values)
        chosen = next(one for one in BENCHMARKS if one.name == benchmark)
        environment = DemoEnvironment.current()
        if environment is None:
            self._enter(chosen, options)
            return
        try:
            startup.prepare(self.stderr)
            measured_on = machine()
            table = chosen.run(Setup(environment, options, self.stderr.write))
            self.stdout.write(f"{table.as_text()}\n\n{measured_on}")
        except (RunFailed, RuntimeError, OSError) as error:
            raise CommandError(f"The benchmark could not be run: {error}") from error
        finally:
            connections.close_all()
            shutil.rmtree(environment.folder, ignore_errors=True)
            if name := os.environ.get(DATABASE_VARIABLE):
                databases.drop(options.database_url, name)

    def _enter(self, benchmark: Benchmark, options: Namespace) -> None:
        """Start this command anew in the benchmark's environment."""
        changes = {
            "DJANGO_SETTINGS_MODULE": "portal.devtools.settings",
            "LOG_LEVEL": "ERROR",
            "REDIS_URL": options.redis_url,
            **benchmark.variables,
        }
        if options.database_url:
            try:
                name = f"portal_bench_{os.getpid()}"
                url = databases.create(options.database_url, name)
            except psycopg.Error as error:
                raise CommandError(f"No database could be made on that server: {error}") from error
            changes |= {DATABASE_VARIABLE: name, "DATABASE_URL": url}
        DemoEnvironment.create("bench").enter(**changes)
