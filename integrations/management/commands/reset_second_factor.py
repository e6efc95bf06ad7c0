"""`manage.py reset_second_factor USERNAME --reason WHY`: remove the second factors of a person who has lost theirs."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandError, CommandParser

from integrations.accounts.acts.second_factors import reset_second_factor
from integrations.management.migrating import MigratingCommand
from integrations.queue import notify


class Command(MigratingCommand):
    help = "Remove a person's authenticator app, passkeys and recovery codes. They get an e-mail about it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("--reason", required=True, help="kept in the audit log")

    def handle(self, *args: object, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']!r}. User names are case-sensitive.")
        if not options["reason"].strip():
            raise CommandError("Give a reason with --reason. It is kept in the audit log.")
        if reset_second_factor(user, "reset_second_factor", options["reason"].strip()):
            notify.notify_workers()
            self.stdout.write(f"reset {user}")
        else:
            self.stdout.write(f"{user} has no second factor")
