"""`manage.py resolve INVITATION_ID`: mark an uncertain invitation as sent, or send it again."""

from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.core.act import Act
from integrations.invitations.acts.invitations import resolve_as_sent, send_again
from integrations.invitations.models.invitation import Invitation
from integrations.management.arguments import row_with_id
from integrations.management.migrating import MigratingCommand
from integrations.queue import notify


class Command(MigratingCommand):
    help = "Say that an uncertain invitation was sent, or send it again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("invitation_id", metavar="INVITATION_ID", type=int)
        choice = parser.add_mutually_exclusive_group(required=True)
        choice.add_argument(
            "--instance", metavar="ID", help="it was sent: its assessmentInstanceId in CodeScreen"
        )
        choice.add_argument("--send-again", action="store_true", help="it was not sent")
        parser.add_argument("--reason", default="", help="kept in the audit log")

    def handle(self, *args: object, **options: Any) -> None:
        invitation = row_with_id(Invitation, options["invitation_id"], kind="invitations")
        if Act.SETTLE not in invitation.allows:
            phrase = invitation.words.phrase
            raise CommandError(
                f"Invitation {invitation.pk} is {phrase}. Only one that was possibly sent can be resolved."
            )
        if options["send_again"]:
            send_again(invitation, "resolve", options["reason"])
        else:
            resolve_as_sent(invitation, options["instance"], "resolve", options["reason"])
        notify.notify_workers()
        self.stdout.write(f"resolved {invitation.pk}")
