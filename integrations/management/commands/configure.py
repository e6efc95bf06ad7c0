"""`manage.py configure FILE.toml`: make an organization match a file."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.configuration.file import Plan, compare, invitation_links
from integrations.configuration.section import ConfigurationError
from integrations.management.arguments import configuration_in
from integrations.management.migrating import MigratingCommand
from integrations.queue import notify

NOTHING = "nothing to change"
DRIFT = 2  # the exit code of a plan that would change something; 1 is an error


class Command(MigratingCommand):
    help = "Create or update an organization, its members, connections, policies and mappings from a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.toml", type=Path)
        looks = parser.add_mutually_exclusive_group()
        looks.add_argument("--dry-run", action="store_true", help="print the difference and change nothing")
        looks.add_argument("--plan", action="store_true", help="the same; exit with 2 if there is one")
        parser.add_argument("--json", action="store_true", help="print the plan as JSON")

    def handle(self, *args: object, **options: Any) -> None:
        path: Path = options["file"]
        if options["json"] and not options["plan"]:
            raise CommandError("--json prints a plan: give --plan too.")
        try:
            configuration = configuration_in(path)
            plan = compare(configuration)
            self.stdout.write(_as_json(plan) if options["json"] else "\n".join(plan.lines or [NOTHING]))
            if options["dry_run"] or options["plan"]:
                plan.try_out()
                if options["plan"] and plan.lines:
                    sys.exit(DRIFT)
                return
            plan.apply()
        except ConfigurationError as error:
            raise CommandError(f"{path}: {error}") from error
        for username, link in invitation_links(configuration):
            self.stdout.write(f"invitation link for {username}: {link}")
        if plan.lines:
            notify.notify_workers()


def _as_json(plan: Plan) -> str:
    """Return the organization and what would change in it, each with where in the file and the lines for people."""
    changes = [{"path": one.path, "lines": list(one.lines)} for one in plan.changes if one.lines]
    return json.dumps(
        {"organization": plan.organization.slug, "changes": changes}, ensure_ascii=False, indent=2
    )
