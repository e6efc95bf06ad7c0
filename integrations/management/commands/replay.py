"""`manage.py replay DELIVERY_ID`: decide a stored delivery again."""

from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.inbox.models.delivery import Delivery
from integrations.management.arguments import row_with_id
from integrations.management.migrating import MigratingCommand
from integrations.queue import acts as queue_acts


class Command(MigratingCommand):
    help = "Decide a stored delivery again, and print its verdict."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("delivery_id", metavar="DELIVERY_ID", type=int)
        parser.add_argument("--dry-run", action="store_true", help="only print what the verdict would be")

    def handle(self, *args: object, **options: Any) -> None:
        delivery = row_with_id(Delivery, options["delivery_id"], kind="deliveries")
        if delivery.platform != Delivery.Platform.LEVER:
            raise CommandError("Only deliveries from Lever are decided. For CodeScreen, use `poll`.")
        decision = (
            queue_acts.preview(delivery) if options["dry_run"] else queue_acts.replay(delivery, "replay")
        )
        self.stdout.write(f"verdict: {decision.verdict}")
        self.stdout.write(f"explanation: {decision.explanation}")
