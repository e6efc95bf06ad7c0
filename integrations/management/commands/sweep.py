"""`manage.py sweep [ORGANIZATION]`: reconcile with Lever now."""

from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.http.errors import PlatformError
from integrations.management.migrating import MigratingCommand, organizations_named
from integrations.queue import on_request


class Command(MigratingCommand):
    help = "Look in Lever for candidates whose stage change never arrived, and take them in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="ORGANIZATION", nargs="?", help="its slug; all without")

    def handle(self, *args: Any, **options: Any) -> None:
        organizations = organizations_named(options["organization"])
        problems = []
        for organization in organizations:
            if len(organizations) > 1:
                self.stderr.write(f"{organization.slug}:")
            try:
                self.stdout.write(f"repaired {on_request.sweep_organization(organization)}")
            except PlatformError as error:
                problems.append(f"{organization.slug}: {error}")
        if problems:
            raise CommandError("The sweep could not be done.\n" + "\n".join(problems))
