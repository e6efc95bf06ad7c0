"""`manage.py approve INVITATION_ID`: send an invitation on hold, or cancel it."""

from typing import Any

from django.core.management import CommandParser

from integrations.invitations.acts.invitations import approve, cancel
from integrations.invitations.models.invitation import Invitation
from integrations.management.arguments import row_with_id
from integrations.management.migrating import MigratingCommand
from integrations.queue import notify


class Command(MigratingCommand):
    help = "Send an invitation on hold, or cancel it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("invitation_id", metavar="INVITATION_ID", type=int)
        parser.add_argument("--refuse", action="store_true", help="cancel it instead")
        parser.add_argument("--reason", default="", help="kept in the audit log")

    def handle(self, *args: object, **options: Any) -> None:
        invitation = row_with_id(Invitation, options["invitation_id"], kind="invitations")
        if options["refuse"]:
            cancel(invitation, "approve", options["reason"], only_unsent=True)
        else:
            approve(invitation, "approve", options["reason"])
        notify.notify_workers()
        self.stdout.write(f"{'cancelled' if options['refuse'] else 'approved'} {invitation.pk}")
