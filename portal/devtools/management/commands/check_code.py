"""Check the code: format, lint, types, templates, migrations, layers."""

import os
import subprocess
import sys
import time
from argparse import ArgumentParser

from django.conf import settings
from django.core.management import BaseCommand, CommandError

PYTHON = [sys.executable]
LAYERS = "from importlinter.cli import lint_imports_command; lint_imports_command()"

# Whether the previous release still works while a migration is applied, and isn't held up by it; no release ran before
# the first migration.
# SQLite rewrites a whole table to change it, so that every column and constraint of it looks new.
UPGRADES = """
import django; django.setup()
from django.db import connection
from django_migration_linter import MigrationLinter
looks_new = ["NOT_NULL", "ADD_UNIQUE"] if connection.vendor == "sqlite" else []
linter = MigrationLinter(
    ".",
    include_apps=["integrations"],
    ignore_name=["0001_initial"],
    exclude_migration_tests=looks_new,
    no_cache=True,
)
linter.lint_all_migrations()
linter.print_summary()
from django.db.migrations.loader import MigrationLoader
from portal.devtools.upgrades import problems
loaded = MigrationLoader(None).disk_migrations
found = problems(one for (app, _), one in sorted(loaded.items()) if app == "integrations")
print(*found, sep="\\n")
raise SystemExit(linter.has_errors or bool(found))
"""

STEPS = {
    "format": [*PYTHON, "-m", "ruff", "format", "--check", "--output-format", "concise", "."],
    "lint": [*PYTHON, "-m", "ruff", "check", "--output-format", "concise", "."],
    "types": [*PYTHON, "-m", "mypy"],
    "templates": [*PYTHON, "-m", "djlint", "templates", "--check", "--lint", "--quiet"],
    "migrations": [*PYTHON, "manage.py", "makemigrations", "--check", "--skip-checks"],
    "upgrades": [*PYTHON, "-c", UPGRADES],
    "layers": [*PYTHON, "-c", LAYERS],
}
FIXES = {
    "lint": [*PYTHON, "-m", "ruff", "check", "--fix-only", "."],
    "format": [*PYTHON, "-m", "ruff", "format", "."],
    "templates": [*PYTHON, "-m", "djlint", "templates", "--reformat", "--quiet"],
}


class Command(BaseCommand):
    help = "Check format, lint, types, templates, migrations and layers; exits 1 if one of them fails."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fix", action="store_true", help="first fix what can be fixed automatically")
        parser.add_argument(
            "--only", action="append", choices=list(STEPS), help="only this step (repeatable)"
        )

    def handle(self, *, fix: bool, only: list[str] | None, **_: object) -> None:
        if fix:
            for argv in FIXES.values():
                subprocess.run(argv, cwd=settings.BASE_DIR, check=False)
        failed = [name for name in STEPS if (not only or name in only) and not self.passes(name)]
        if failed:
            raise CommandError(f"Not in order: {', '.join(failed)}.")

    def passes(self, name: str) -> bool:
        """Run one step; print its result and time, and its output if it failed."""
        began = time.monotonic()
        # The result depends on the code alone, not on anybody's configuration.
        environ = {**os.environ, "PORTAL_ENV_FILE": os.devnull, "DATABASE_URL": "sqlite:///:memory:"}
        step = subprocess.run(
            STEPS[name],
            cwd=settings.BASE_DIR,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
        result = self.style.ERROR("FAILED") if step.returncode else self.style.SUCCESS("ok")
        self.stdout.write(f"{name:<11} {result} ({seconds:.1f} s)")
        if step.returncode:
            self.stdout.write(step.stdout)
        return step.returncode == 0
