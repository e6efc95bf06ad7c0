"""`manage.py export KIND ORGANIZATION`: rows as JSON lines."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.management import CommandParser
from django.db import models

from integrations.api.rows import CandidateRow, InvitationRow, ResultRow, VerdictRow
from integrations.audit.models.entry import AuditEntry
from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.management.arguments import moment, organization_named
from integrations.management.migrating import MigratingCommand
from integrations.outbox.models.effect import Effect
from integrations.privacy.erase import Receipt
from integrations.privacy.models import Erasure

#: One exported row, as JSON.
Row = dict[str, object]


def delivery_row(delivery: Delivery) -> Row:
    """Return a delivery and its verdict."""
    return {
        "id": delivery.pk,
        "platform": delivery.platform,
        "event": delivery.event,
        "received_at": _time(delivery.received_at),
        "decided_at": _time(delivery.decided_at),
        "opportunity_id": delivery.opportunity_id or None,
        "verdict": delivery.verdict or None,
        "explanation": delivery.explanation or None,
        "invitation_id": delivery.invitation_id,
    }


def audit_row(entry: AuditEntry) -> Row:
    """Return what a person or a command changed; erased text is null."""
    return {
        "id": entry.pk,
        "at": _time(entry.at),
        "actor": entry.actor_name,
        "action": entry.action,
        "target": entry.target or None,
        "changes": None if entry.is_erased else entry.changes,
        "reason": entry.reason or None,
        "position": entry.position,
        "hash": entry.hash,
    }


def effect_row(effect: Effect) -> Row:
    """Return an effect's state and attempts."""
    return {
        "id": effect.pk,
        "invitation_id": effect.invitation_id,
        "kind": effect.kind,
        "state": effect.shown_state,
        "attempts": effect.attempts,
        "next_attempt_at": _time(effect.due_at),
        "last_error": effect.last_error or None,
        "end_reason": effect.end_reason or None,
    }


def call_row(call: ApiCall) -> Row:
    """Return a request and its status, without the bodies."""
    return {
        "id": call.pk,
        "platform": call.platform,
        "method": call.method,
        "path": call.path,
        "status": call.status,
        "duration_ms": call.duration_ms,
        "attempt": call.attempt,
        "at": _time(call.at),
        "correlation_id": call.correlation_id,
        "repeats": call.repeats,
        "last_at": _time(call.last_at),
    }


@dataclass(frozen=True)
class Export:
    """How rows of one kind are found and written; `related` are the relations that `row` reads."""

    model: type[models.Model]
    created_field: str
    row: Callable[[Any], Row]
    related: tuple[str, ...] = ()


#: No row has a candidate's name or address, and none of a call the bodies.
EXPORTS = {
    "deliveries": Export(Delivery, "received_at", delivery_row),
    "verdicts": Export(Verdict, "decided_at", VerdictRow().to_representation, ("delivery",)),
    "candidates": Export(Candidate, "entered_at", CandidateRow().to_representation),
    "invitations": Export(Invitation, "created_at", InvitationRow().to_representation),
    "results": Export(Result, "created_at", ResultRow().to_representation),
    "effects": Export(Effect, "created_at", effect_row),
    "calls": Export(ApiCall, "at", call_row),
    # receipts, as `forget --again-from` reads them
    "erasures": Export(Erasure, "erased_at", lambda row: {"id": row.pk, **Receipt(row).to_json()}),
    "audit": Export(AuditEntry, "at", audit_row),
}


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
        if export.related:
            rows = rows.select_related(*export.related)
        if options["since"] is not None:
            rows = rows.filter(**{f"{export.created_field}__gte": moment("--since", options["since"])})
        for row in rows.iterator(chunk_size=1000):
            self.stdout.write(json.dumps(export.row(row), ensure_ascii=False))


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
