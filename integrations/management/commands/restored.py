"""`manage.py restored [ORGANIZATION] --since TIME`: say that the database is a restored backup."""

from datetime import UTC
from functools import partial
from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.core.vocabulary import ActionNotAllowed
from integrations.management.arguments import add_optional_organization, moment, organizations_named
from integrations.management.migrating import MigratingCommand
from integrations.organizations.acts import Restored, record_restore
from integrations.store.database import with_retry

NEXT = (
    "Next: start the portal, connect Lever again, then `manage.py poll --all` and `manage.py sweep`. The doctor and "
    "Health list what waits for a person."
)


class Command(MigratingCommand):
    help = (
        "After a restore and before `serve`: say when the backup was made. What can't be known since is looked for in "
        "Lever, or left to a person; nothing is sent blindly."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_optional_organization(parser)
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
        since = moment("--since", options["since"])
        until = moment("--until", options["until"]) if options["until"] else None
        errors = []
        organizations = organizations_named(options["organization"])
        for organization in organizations:
            try:
                # workers lock the same rows, in another order
                recorded = with_retry(partial(record_restore, organization, since, until, "restored"))
                self._print(organization.slug, recorded)
            except ActionNotAllowed as error:
                errors.append(f"{organization.slug}: {error}" if len(organizations) > 1 else str(error))
        if errors:
            raise CommandError("\n".join(errors))
        self.stdout.write(NEXT)

    def _print(self, slug: str, restored: Restored) -> None:
        times = " to ".join(
            f"{one.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for one in (restored.since, restored.until)
        )
        known = "rows are lost" if restored.is_new else "known already that rows are lost"
        self.stdout.write(
            f"{slug}: {known} from {times} UTC\n"
            f"  {restored.uncertain} invitations that waited were possibly sent: for a person\n"
            f"  {restored.undecided} stage changes wait to be decided: offered, unless an invitation is here\n"
            f"  {restored.writes} writes to Lever wait: each looks there first"
        )
