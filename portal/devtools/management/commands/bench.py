"""Measure what the portal costs, as ratios to something measured in the same run."""

from argparse import ArgumentParser, Namespace

from django.core.management import BaseCommand, CommandError

from portal.devtools.benchmarks.benchmark import Benchmark, Setup, machine
from portal.devtools.benchmarks.bulk import BulkBenchmark
from portal.devtools.benchmarks.endpoint import EndpointBenchmark
from portal.devtools.benchmarks.latency import LatencyBenchmark
from portal.devtools.benchmarks.workflow import WorkflowBenchmark
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import RunFailed
from portal.process import startup

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
            DemoEnvironment.create("bench").enter(
                options.database_url,
                LOG_LEVEL="ERROR",
                REDIS_URL=options.redis_url,
                **chosen.variables,
            )
        try:
            startup.prepare(self.stderr)
            measured_on = machine()
            table = chosen.run(Setup(environment, options, self.stderr.write))
            self.stdout.write(f"{table.as_text()}\n\n{measured_on}")
        except (RunFailed, RuntimeError, OSError) as error:
            raise CommandError(f"The benchmark could not be run: {error}") from error
        finally:
            environment.clear()
