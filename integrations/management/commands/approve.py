"""`manage.py approve INVITATION_ID`: send a held invitation, or refuse it."""

from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.management.lookup import invitation_with_id
from integrations.management.migrating import MigratingCommand
from integrations.queue import notify
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.invitations import approve, refuse


class Command(MigratingCommand):
    help = "Send a held invitation, or cancel it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("invitation_id", metavar="INVITATION_ID", type=int)
        parser.add_argument("--refuse", action="store_true", help="don't send it")
        parser.add_argument("--reason", default="", help="kept in the audit log")

    def handle(self, *args: object, **options: Any) -> None:
        invitation = invitation_with_id(options["invitation_id"])
        operation, outcome = (refuse, "refused") if options["refuse"] else (approve, "approved")
        try:
            operation(invitation, "approve", options["reason"])
        except ActionNotAllowed as error:
            raise CommandError(f"{error} Only a held invitation can be approved or cancelled.") from error
        notify.notify_workers()
        self.stdout.write(f"{outcome} {invitation.pk}")
