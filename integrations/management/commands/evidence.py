"""`manage.py evidence ORGANIZATION (--opportunity ID | --since DATE --until DATE) --out FILE.zip`: an evidence pack."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.audit.evidence.pack import FileExists, write_pack
from integrations.audit.evidence.selection import Selection, is_empty, of_candidate, of_period
from integrations.management.arguments import moment, organization_named
from integrations.management.migrating import MigratingCommand
from integrations.organizations.models.organization import Organization


class Command(MigratingCommand):
    help = (
        "Write all records about a candidate or a period into a ZIP file that shows whether it was altered."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="ORGANIZATION", help="its slug")
        parser.add_argument("--opportunity", metavar="ID", help="the candidate's opportunity id in Lever")
        parser.add_argument("--since", metavar="DATE", help="from this day or time on; UTC without an offset")
        parser.add_argument("--until", metavar="DATE", help="up to the end of this day, or before this time")
        parser.add_argument("--out", metavar="FILE.zip", required=True, type=Path)

    def handle(self, *args: object, **options: Any) -> None:
        selection = _selection(organization_named(options["organization"]), options)
        if is_empty(selection):
            raise CommandError("Nothing is recorded for this. Check the id, or choose a longer period.")
        try:
            rows, digest = write_pack(selection, options["out"], "evidence")
        except FileExists as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{options['out']} can't be written: {error.strerror}.") from error
        for name, count in rows.items():
            self.stdout.write(f"{name}: {count}")
        self.stdout.write(f"Wrote {options['out']}. SHA-256 of its manifest: {digest}")


def _selection(organization: Organization, options: dict[str, Any]) -> Selection:
    opportunity, since, until = options["opportunity"], options["since"], options["until"]
    if opportunity and not since and not until:
        return of_candidate(organization, opportunity)
    if opportunity or not since or not until:
        raise CommandError("Give --opportunity ID, or --since DATE and --until DATE.")
    begin, end = moment("--since", since), moment("--until", until)
    if len(until) <= len("2027-01-31"):
        end += timedelta(days=1)
    if end <= begin:
        raise CommandError("--until is before --since. Swap them.")
    return of_period(organization, begin, end)
