"""`manage.py export_config ORGANIZATION`: the organization as a file for `configure`."""

from typing import Any

from django.core.management import CommandParser

from integrations.configuration.file import dump
from integrations.management.arguments import organization_named
from integrations.management.migrating import MigratingCommand


class Command(MigratingCommand):
    help = "Write an organization's configuration file, without its secrets, to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="ORGANIZATION", help="its slug")

    def handle(self, *args: object, **options: Any) -> None:
        self.stdout.write(dump(organization_named(options["organization"])), ending="")
