"""Measure what the portal costs, as ratios to something measured in the same run."""

from argparse import ArgumentParser, Namespace

from django.core.management import BaseCommand, CommandError

from portal.devtools.benchmarks import bulk, endpoint, latency, workflow
from portal.devtools.benchmarks.benchmark import Setup, machine
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import RunFailed
from portal.process import startup

BENCHMARKS = {
    "endpoint": endpoint.BENCHMARK,
    "workflow": workflow.BENCHMARK,
    "bulk": bulk.BENCHMARK,
    "latency": latency.BENCHMARK,
}


class Command(BaseCommand):
    help = "Measure one part of the portal beside a yardstick of the same run, and print a table."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = parser.add_subparsers(dest="benchmark", required=True, metavar="benchmark")
        for name, benchmark in BENCHMARKS.items():
            own = names.add_parser(name, help=benchmark.help)
            own.add_argument(
                "--database-url",
                default="",
                help="a PostgreSQL server, on which the benchmark makes a database of its own; SQLite without it",
            )
            own.add_argument(
                "--redis-url", default="", help="a Redis database that may be emptied; none without it"
            )
            for option, (default, description) in benchmark.options.items():
                text = f"{description} (default {default})"
                own.add_argument(f"--{option}", type=int, default=default, help=text)

    def handle(self, *, benchmark: str, **values: object) -> None:
        options = Namespace(**values)
        chosen = BENCHMARKS[benchmark]
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
            table = chosen.measure(Setup(environment, options, self.stderr.write))
            self.stdout.write(f"{table.as_text()}\n\n{measured_on}")
        except (RunFailed, RuntimeError, OSError) as error:
            raise CommandError(f"The benchmark could not be run: {error}") from error
        finally:
            environment.clear()
