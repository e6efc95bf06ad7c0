"""`manage.py restored [ORGANIZATION] --since TIME`: say that the database is a restored backup."""

from datetime import UTC
from functools import partial
from typing import Any

from django.core.management import CommandParser

from integrations.management.arguments import PerOrganizationCommand, moment
from integrations.organizations.acts import record_restore
from integrations.organizations.models.organization import Organization
from integrations.store.database import with_retry

NEXT = (
    "Next: start the portal, connect Lever again, then `manage.py poll --all` and `manage.py sweep`. The doctor and "
    "Health list what waits for a person."
)


class Command(PerOrganizationCommand):
    help = (
        "After a restore and before `serve`: say when the backup was made. What can't be known since is looked for in "
        "Lever, or left to a person; nothing is sent blindly."
    )
    failure = "Not recorded."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--since",
            metavar="TIME",
            required=True,
            help="when the backup was made, such as 2027-01-31T08:00:00+00:00",
        )
        parser.add_argument(
            "--until",
            metavar="TIME",
            default="",
            help="when the portal stopped, before the restore; if left out, now",
        )

    def handle(self, *args: object, **options: Any) -> None:
        options["since"] = moment("--since", options["since"])
        options["until"] = moment("--until", options["until"]) if options["until"] else None
        super().handle(*args, **options)
        self.stdout.write(NEXT)

    def run(self, organization: Organization, options: dict[str, Any]) -> str:
        # workers lock the same rows, in another order
        recorded = with_retry(
            partial(record_restore, organization, options["since"], options["until"], "restored")
        )
        times = " to ".join(
            f"{one.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for one in (recorded.since, recorded.until)
        )
        known = "rows are lost" if recorded.is_new else "known already that rows are lost"
        return (
            f"{organization.slug}: {known} from {times} UTC\n"
            f"  {recorded.uncertain} invitations that waited were possibly sent: for a person\n"
            f"  {recorded.undecided} stage changes wait to be decided: offered, unless an invitation is here\n"
            f"  {recorded.writes} writes to Lever wait: each looks there first"
        )
