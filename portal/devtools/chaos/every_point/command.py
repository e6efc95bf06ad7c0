"""The command line of the proof at every point."""

import logging
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management import CommandError
from django.core.management.base import OutputWrapper

from portal.devtools.chaos.every_point import environment
from portal.devtools.chaos.every_point.options import EveryPointOptions
from portal.devtools.chaos.every_point.runs import run_parts
from portal.devtools.demo.environment import DemoEnvironment


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options to the command."""
    EveryPointOptions.add_to(parser)


def handle(arguments: Mapping[str, Any], stdout: OutputWrapper, stderr: OutputWrapper) -> None:
    """Perform the runs and print the report; exits 1 if a promise was broken in one. Raises CommandError."""
    try:
        options = EveryPointOptions.read(arguments)
    except ValueError as error:
        raise CommandError(str(error)) from error
    demo = DemoEnvironment.current()
    if demo is None:
        environment.enter(options)
    logging.disable()  # of what the faults lead to
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        report = run_parts(demo, options, stderr.write)
    finally:
        environment.clear(demo)
    stdout.write(report.as_json() if arguments["json"] else report.as_text())
    if not report.holds:
        sys.exit(1)
