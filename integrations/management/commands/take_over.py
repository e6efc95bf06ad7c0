"""`manage.py take_over ORGANIZATION`: take over who was invited by CodeScreen's own Lever integration."""

import csv
from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.clients.provider import ClientProvider
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import PlatformError
from integrations.invitations.acts.take_over import (
    NO_ASSESSMENT,
    tagged_candidate,
    tagged_candidates,
    take_over,
)
from integrations.management.arguments import organization_named
from integrations.management.migrating import MigratingCommand
from integrations.queue import notify


class Command(MigratingCommand):
    help = (
        "Take over everybody in a CodeScreen stage who has a progress tag of CodeScreen's own Lever integration. They "
        "are known here then, and not invited again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="ORGANIZATION", help="its slug")
        parser.add_argument(
            "--instances",
            metavar="FILE.csv",
            type=Path,
            help="lines of opportunity_id,instance_id: whose invitations in CodeScreen are followed from now on",
        )
        parser.add_argument("--dry-run", action="store_true", help="only print who it would be")

    def handle(self, *args: object, **options: Any) -> None:
        organization = organization_named(options["organization"])
        instances = _instances(options["instances"])
        clients = ClientProvider(organization)
        taken, left = 0, 0
        try:
            for listed in list(tagged_candidates(organization, clients)):
                opportunity_id = listed.opportunity.id
                name = listed.assessment.name if listed.assessment else "no assessment"
                line = f"{opportunity_id} {listed.tag} ({name})"
                instance = instances.pop(opportunity_id, "")
                try:
                    if listed.assessment is None:
                        raise ActionNotAllowed(NO_ASSESSMENT)
                    if not options["dry_run"]:
                        # the list takes a while to read, and Lever may show something else by now
                        found = tagged_candidate(organization, opportunity_id, clients)
                        take_over(organization, found, "take_over", instance)
                    taken += 1
                except ActionNotAllowed as error:
                    line, left = f"{line}: left. {error}", left + 1
                self.stdout.write(line)
        except PlatformError as error:
            raise CommandError(
                f"Lever or CodeScreen didn't answer: {error} Run it again: nothing is done twice."
            ) from error
        notify.notify_workers()
        for opportunity_id in instances:
            self.stderr.write(
                f"{opportunity_id} of the file has no progress tag to take over: nothing was done."
            )
        verb = "would be taken over" if options["dry_run"] else "taken over"
        self.stdout.write(f"{taken} {verb}, {left} left")


def _instances(path: Path | None) -> dict[str, str]:
    """Return the instances by opportunity. Raises CommandError."""
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} can't be read: {error}") from error
    wrong = next((number for number, row in enumerate(rows, 1) if len(row) != 2 or not all(row)), None)
    if wrong is not None:
        raise CommandError(f"{path}, line {wrong}: write an opportunity's id, a comma and the instance's id.")
    return dict(rows)
