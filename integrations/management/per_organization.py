"""Commands that do the same for one organization or for all."""

from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.http.errors import PlatformError
from integrations.management.lookup import organizations_named
from integrations.management.migrating import MigratingCommand
from integrations.models import Organization


class PerOrganizationCommand(MigratingCommand):
    """A command that calls a platform for each organization and prints a line about each.

    A platform's error leaves the other organizations alone; the command fails at the end and names them all.
    """

    #: The first line of the error when some organization failed.
    failure = ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the optional slug."""
        parser.add_argument("organization", metavar="ORGANIZATION", nargs="?", help="its slug; all without")

    def handle(self, *args: object, **options: Any) -> None:
        """Run for each organization."""
        organizations = organizations_named(options["organization"])
        errors = []
        for organization in organizations:
            if len(organizations) > 1:
                self.stderr.write(f"{organization.slug}:")
            try:
                self.stdout.write(self.run(organization, options))
            except PlatformError as error:
                errors.append(f"{organization.slug}: {error}")
        if errors:
            raise CommandError("\n".join([self.failure, *errors]))

    def run(self, organization: Organization, options: dict[str, Any]) -> str:
        """Do it for one organization; return the line to print. Raises PlatformError."""
        raise NotImplementedError
