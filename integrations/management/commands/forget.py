"""`manage.py forget ORGANIZATION OPPORTUNITY_ID`: erase a candidate's data."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from integrations.core.vocabulary import ErasureCause
from integrations.management.arguments import organization_named
from integrations.management.migrating import MigratingCommand
from integrations.organizations.models.organization import Organization
from integrations.privacy.erase import Receipt, erase

ACTOR = "forget"


class Command(MigratingCommand):
    help = "Erase a candidate's data and print the receipt as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="ORGANIZATION", help="its slug")
        parser.add_argument(
            "opportunity_id",
            metavar="OPPORTUNITY_ID",
            nargs="?",
            default="",
            help="Lever's id of the opportunity; left out with --again-from",
        )
        parser.add_argument(
            "--again-from",
            metavar="FILE",
            help="after a restore: erase everybody whose receipt is in FILE, written by `export erasures`; - reads "
            "standard input",
        )

    def handle(self, *args: object, **options: Any) -> None:
        organization = organization_named(options["organization"])
        if bool(options["opportunity_id"]) == bool(options["again_from"]):
            raise CommandError("Give either an OPPORTUNITY_ID or --again-from FILE.")
        if options["again_from"]:
            self._erase_again(organization, _receipts(_lines(options["again_from"])))
            return
        opportunity_id = options["opportunity_id"]
        receipt = erase(organization, opportunity_id, ErasureCause.FORGOTTEN, ACTOR)
        if receipt is None:
            raise CommandError(
                f"The portal has nothing about the opportunity {opportunity_id!r} in {organization.slug}. "
                "`export invitations` and `export deliveries` list the ids that it knows."
            )
        self._print(receipt)

    def _erase_again(self, organization: Organization, receipts: list[tuple[str, ErasureCause]]) -> None:
        found = 0
        for opportunity_id, cause in receipts:
            if again := erase(organization, opportunity_id, cause, ACTOR):
                found += 1
                self._print(again)
        # who isn't in the database needs nothing
        self.stderr.write(
            f"{len(receipts)} receipts were read. {found} of their candidates are in this database."
        )

    def _print(self, receipt: Receipt) -> None:
        if not receipt.is_new:
            self.stderr.write(f"{receipt.erasure.opportunity_id} was erased before. Nothing was changed.")
        self.stdout.write(json.dumps(receipt.to_json(), ensure_ascii=False))


def _lines(name: str) -> Iterable[str]:
    """Return the lines of a file, or of standard input. Raises CommandError when it can't be read."""
    source = "Standard input" if name == "-" else name
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{source} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{source} is not UTF-8 text. Nothing was erased.") from error
    return text.split("\n")


def _receipts(lines: Iterable[str]) -> list[tuple[str, ErasureCause]]:
    """Return the opportunities and causes of all receipts. Raises CommandError for a line that isn't a receipt."""
    found: list[tuple[str, ErasureCause]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            receipt = json.loads(line)
            found.append((str(receipt["opportunity_id"]), ErasureCause(receipt["cause"])))
        except (ValueError, KeyError, TypeError) as error:
            raise CommandError(
                f"Line {number} is not a receipt. Use a file that `export erasures` wrote. Nothing was erased."
            ) from error
    return found
