"""Run the tests with pytest; Django's own runner is not used."""

import os
import signal
import subprocess
import sys

from django.conf import settings
from django.core.management import BaseCommand

from portal.devtools import test_suites

#: Arguments that choose the number of processes, or need a single one.
ONE_PROCESS = ("-n", "--numprocesses", "-p", "--pdb", "--trace", "-s", "--co", "-h", "--help", "--version")


class Command(BaseCommand):
    help = "Run the tests; all arguments go to pytest, as they are."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Pass the arguments on unparsed: Django's parser would refuse those that are meant for pytest."""
        sys.exit(run(argv[2:]))


def run(arguments: list[str]) -> int:
    """Run pytest on the checkout, in three processes unless the arguments forbid it; return its exit code."""
    if not any(argument.startswith(ONE_PROCESS) for argument in arguments):
        # three on two cores: tests wait for answers and time-outs a third of their time
        # worksteal: an idle process takes over tests of the others, since some take a thousand times longer
        arguments = ["-n", "3", "--dist", "worksteal", *arguments]
    # without compiled files, each of the processes would compile the portal and rewrite the tests' assertions again
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    # a process of its own: Django reads its settings once, and the tests need others
    pytest = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments], cwd=settings.BASE_DIR, env=environ
    )
    signal.signal(signal.SIGTERM, lambda *_: pytest.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches pytest too, which reports and ends
    code = pytest.wait()
    for suite, reason in test_suites.missing().items():
        sys.stderr.write(f"Skipped the {suite} tests: {reason}.\n")
    return code if code >= 0 else 128 - code
