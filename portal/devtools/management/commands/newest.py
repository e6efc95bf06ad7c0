"""Run the tests with the newest releases of other people's packages, before an upgrade of the pinned lists."""

import json
import subprocess
import sys
import tempfile
import tomllib
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

FAST = ("-q", "-n", "3", "--dist", "worksteal", "-m", "not slow and not browser")


class Command(BaseCommand):
    help = (
        "Install the newest releases that the ranges of pyproject.toml allow in an own environment and run the "
        "fast tests there; once more with Django's pre-release, where there is one. Exits 1 if a test fails."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tests", nargs="*", default=FAST, help="arguments of pytest, after --")

    def handle(self, *, tests: Sequence[str], **_: object) -> None:
        with tempfile.TemporaryDirectory(prefix="newest-") as folder:
            python = str(Path(folder, "bin", "python"))
            run([sys.executable, "-m", "venv", folder])
            found, failed = versions(sys.executable), False
            for title, wanted in (("newest", ranges()), ("Django's pre-release", ["--pre", "django"])):
                run(
                    [
                        python,
                        "-m",
                        "pip",
                        "install",
                        "-q",
                        "--upgrade",
                        "--upgrade-strategy",
                        "eager",
                        *wanted,
                    ]
                )
                newer = versions(python)
                if wanted[0] == "--pre" and newer["django"] == found["django"]:
                    self.stdout.write(f"{title}: there is none.")
                    continue
                self.stdout.write(f"\n{title}:\n{table(found, newer)}")
                self.stdout.flush()
                code = subprocess.run(
                    [python, "-m", "pytest", *tests], cwd=settings.BASE_DIR, check=False
                ).returncode
                self.stdout.write(f"{title}: {'FAILED' if code else 'ok'}")
                found, failed = newer, failed or bool(code)
        if failed:
            raise CommandError("The tests fail with newer packages.")


def ranges() -> list[str]:
    """Return what pyproject.toml requires, with the ranges that it allows."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    return [*project["project"]["dependencies"], *groups["traces"], *groups["dev"]]


def versions(python: str) -> dict[str, str]:
    """Return the version of each package that a Python has, by its name in lower case."""
    listed = run([python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"])
    packages: list[dict[str, Any]] = json.loads(listed)
    return {one["name"].lower(): one["version"] for one in packages}


def table(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Return a line for each package whose version differs: its name, the old and the new version."""
    changed = [name for name in sorted(new) if name != "pip" and old.get(name) != new[name]]
    lines = [f"  {name:32} {old.get(name, '–'):>16} → {new[name]}" for name in changed]
    return "\n".join(lines) or "  no package is newer"


def run(argv: Sequence[str]) -> str:
    """Run a command and return its output. Raises CommandError with the end of what it said if it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(f"{' '.join(argv[:5])}… failed: {done.stderr[-2000:]}")
    return done.stdout
