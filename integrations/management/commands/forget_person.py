"""`manage.py forget_person USERNAME`: erase a person who uses the portal."""

import json
from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.core.vocabulary import ActionNotAllowed
from integrations.management.migrating import MigratingCommand
from integrations.privacy.acts import forget_person


class Command(MigratingCommand):
    help = (
        "Erase a person who uses the portal, end their memberships, and print as JSON how many rows it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")

    def handle(self, *args: object, **options: Any) -> None:
        try:
            receipt = forget_person(options["username"])
        except ActionNotAllowed as error:
            raise CommandError(f"{error} Nothing was erased.") from error
        if receipt is None:
            raise CommandError(
                f"There is no user {options['username']!r}: user names are case-sensitive, and an erased "
                "person's account has another name. Nothing was erased."
            )
        self.stdout.write(json.dumps(receipt))
