"""`manage.py poll [ORGANIZATION]`: ask CodeScreen now."""

from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.http.errors import PlatformError
from integrations.management.migrating import MigratingCommand, organizations_named
from integrations.queue import on_request


class Command(MigratingCommand):
    help = "Ask CodeScreen about every open invitation now, instead of when its time comes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="ORGANIZATION", nargs="?", help="its slug; all without")
        parser.add_argument("--all", action="store_true", help="about completed ones too")

    def handle(self, *args: Any, **options: Any) -> None:
        organizations = organizations_named(options["organization"])
        problems = []
        for organization in organizations:
            if len(organizations) > 1:
                self.stderr.write(f"{organization.slug}:")
            try:
                self.stdout.write(
                    f"asked {on_request.poll_organization(organization, everything=options['all'])}"
                )
            except PlatformError as error:
                problems.append(f"{organization.slug}: {error}")
        if problems:
            raise CommandError("CodeScreen could not be asked.\n" + "\n".join(problems))
