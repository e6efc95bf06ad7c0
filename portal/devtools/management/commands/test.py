"""Run the tests with pytest; Django's own runner is not used."""

import signal
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from portal.devtools import test_suites

#: With one of these the person wants to see or steer a single process.
ONE_PROCESS = ("-n", "--numprocesses", "-p", "--pdb", "--trace", "-s", "--co", "-h", "--help", "--version")


class Command(BaseCommand):
    help = "Run the tests; all arguments go to pytest, as they are."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Keep Django's parser away from arguments that are meant for pytest."""
        sys.exit(run(argv[2:]))

    def handle(self, *args: str, **_: Any) -> None:
        code = run(list(args))
        if code:
            raise CommandError("The tests failed.", returncode=code)


def run(arguments: list[str]) -> int:
    """Run pytest on the checkout, in two processes unless told otherwise; return its exit code."""
    if not any(argument.startswith(ONE_PROCESS) for argument in arguments):
        # a process that has nothing left takes over from the other: the tests differ in length a thousandfold
        arguments = ["-n", "2", "--dist", "worksteal", *arguments]
    # A process of its own: the tests choose their settings before Django reads any.
    pytest = subprocess.Popen([sys.executable, "-m", "pytest", *arguments], cwd=settings.BASE_DIR)
    signal.signal(signal.SIGTERM, lambda *_: pytest.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches pytest too, which reports and ends
    code = pytest.wait()
    for suite, reason in test_suites.missing().items():
        sys.stderr.write(f"Skipped the {suite} tests: {reason}.\n")
    return code if code >= 0 else 128 - code
