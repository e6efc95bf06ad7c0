"""`manage.py export KIND ORGANIZATION`: rows as JSON lines."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.core.management import CommandParser
from django.db import models

from integrations.audit.models.entry import AuditEntry
from integrations.clients.models import ApiCall
from integrations.http.shapes import number
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.management.arguments import moment, organization_named
from integrations.management.migrating import MigratingCommand
from integrations.outbox.models import Effect
from integrations.privacy.erase import Receipt
from integrations.privacy.models import Erasure

#: One exported row, as JSON.
Row = dict[str, object]


@dataclass(frozen=True)
class Export:
    """How rows of one kind are found and written.

    `columns` are the keys of a row, one after the other with spaces: each is the attribute that it is read from, or
    names it behind `=`; a text with `?` is null when it is empty. `also` returns what a row has besides or instead.
    """

    model: type[models.Model]
    created_field: str
    columns: str
    also: Callable[[Any], Row] = lambda _: {}

    @property
    def related(self) -> list[str]:
        """The relations that the columns are read through."""
        paths = (column.partition("=")[2] for column in self.columns.split())
        return [path.partition(".")[0] for path in paths if "." in path]

    def row(self, row: models.Model) -> Row:
        """Return a row as JSON."""
        found: Row = {}
        for column in self.columns.split():
            key, _, path = column.partition("=")
            name = key.removesuffix("?")
            value = _json(attrgetter(path or name)(row))
            found[name] = None if key.endswith("?") and not value else value
        return found | self.also(row)


#: No row has a candidate's name or address, and none of a call the bodies. An erasure is as `forget --again-from` reads
#: it.
EXPORTS = {
    "deliveries": Export(
        Delivery,
        "received_at",
        "id platform event received_at decided_at opportunity_id? verdict? explanation? invitation_id",
    ),
    "verdicts": Export(
        Verdict,
        "decided_at",
        "id delivery_id opportunity_id?=delivery.opportunity_id code explanation? decided_at is_current position "
        "hash",
    ),
    "invitations": Export(
        Invitation,
        "created_at",
        "id opportunity_id assessment=assessment_name round status instance_id? created_at invited_at started_at "
        "completed_at following_ended? following_ended_at awaits_decision_since",
    ),
    "results": Export(
        Result,
        "created_at",
        "id invitation_id attempt outcome? score failure_reason? rating report_url? feedback_id? file_id?",
    ),
    "effects": Export(
        Effect,
        "created_at",
        "id invitation_id kind state=shown_state attempts next_attempt_at=due_at last_error? end_reason?",
    ),
    "calls": Export(
        ApiCall,
        "at",
        "id platform method path status duration_ms attempt at correlation_id repeats last_at",
    ),
    "erasures": Export(Erasure, "erased_at", "id", lambda erasure: Receipt(erasure).to_json()),
    "audit": Export(
        AuditEntry,
        "at",
        "id at actor=actor_name action target? changes reason? position hash",
        lambda entry: {"changes": None} if entry.is_erased else {},
    ),
}


def _json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return number(value) if isinstance(value, Decimal) else value


class Command(MigratingCommand):
    help = "Print an organization's rows as JSON lines, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", metavar="KIND", choices=EXPORTS, help=", ".join(EXPORTS))
        parser.add_argument("organization", metavar="ORGANIZATION", help="its slug")
        parser.add_argument(
            "--since", metavar="ISO-DATE", help="only rows from then on; UTC without an offset"
        )

    def handle(self, *args: object, **options: Any) -> None:
        organization = organization_named(options["organization"])
        export = EXPORTS[options["kind"]]
        rows = export.model._default_manager.filter(organization=organization).order_by("pk")
        if related := export.related:
            rows = rows.select_related(*related)
        if options["since"] is not None:
            rows = rows.filter(**{f"{export.created_field}__gte": moment("--since", options["since"])})
        for row in rows.iterator(chunk_size=1000):
            self.stdout.write(json.dumps(export.row(row), ensure_ascii=False))
