"""Which rows an evidence pack holds, and how they stand in it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from heapq import merge
from operator import attrgetter

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from integrations.audit.models.audited_rows import audit_entries_about
from integrations.audit.models.chain import Chained
from integrations.audit.models.entry import AuditEntry, AuditSubject
from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.store.columns import EncryptedTextField

#: What the portal does, without a person's act, to rows that a reader may look for.
REMOVALS = AuditSubject.ERASED.actions


@dataclass(frozen=True, repr=False)  # no log says whose rows they are
class Selection:
    """The rows of one organization that a pack holds."""

    organization: Organization
    #: What was selected, for the manifest.
    description: dict[str, str]
    candidates: QuerySet[Candidate]
    deliveries: QuerySet[Delivery]
    verdicts: QuerySet[Verdict]
    invitations: QuerySet[Invitation]
    results: QuerySet[Result]
    effects: QuerySet[Effect]
    calls: QuerySet[ApiCall]
    #: Returns which audit entries are about what was selected, as it is when they are read. A function and no query,
    #: since it reads keys (`AuditEntryQuerySet.about`): what was made since the selection would be missed.
    acted: Callable[[], Q]
    #: Whether its readers may know of one candidate alone.
    is_of_one: bool = False

    def audit_entries(self) -> QuerySet[AuditEntry]:
        """Return what people did, and every record of a removal, which says why a text or a row is missing."""
        entries = AuditEntry.objects.in_chain(self.organization.pk)
        return entries.filter(self.acted() | Q(action__in=REMOVALS))


def of_candidate(organization: Organization, opportunity_id: str) -> Selection:
    """Return everything about one opportunity."""
    own = {"organization": organization, "opportunity_id": opportunity_id}
    invitations = Invitation.objects.filter(**own)
    return Selection(
        organization,
        {"opportunity_id": opportunity_id},
        candidates=Candidate.objects.filter(**own),
        deliveries=Delivery.objects.filter(**own),
        verdicts=Verdict.objects.in_chain(organization.pk).filter(delivery__opportunity_id=opportunity_id),
        invitations=invitations,
        results=Result.objects.filter(invitation__in=invitations),
        effects=Effect.objects.filter(**own),
        calls=ApiCall.objects.filter(**own),
        acted=lambda: Q(pk__in=audit_entries_about(organization.pk, opportunity_id).values("pk")),
        is_of_one=True,
    )


def of_period(organization: Organization, since: datetime, until: datetime) -> Selection:
    """Return everything from `since` until before `until`, and what something of the period is about."""

    def within(column: str) -> Q:
        return Q(**{f"{column}__gte": since, f"{column}__lt": until})

    verdicts = Verdict.objects.in_chain(organization.pk).filter(within("decided_at"))
    results = Result.objects.filter(within("created_at"), organization=organization)
    effects = Effect.objects.filter(within("created_at"), organization=organization)
    decided = Exists(verdicts.filter(delivery=OuterRef("pk")))
    by_verdict, by_result, by_effect = (
        Exists(rows.filter(invitation=OuterRef("pk"))) for rows in (verdicts, results, effects)
    )
    # of the calls also those whose answer came again in the period
    reaches_into = Q(at__gte=since) | Q(last_at__gte=since)
    return Selection(
        organization,
        {"since": since.isoformat(), "until": until.isoformat()},
        # by their latest entry
        candidates=Candidate.objects.filter(within("entered_at"), organization=organization),
        deliveries=Delivery.objects.filter(within("received_at") | decided, organization=organization),
        verdicts=verdicts,
        invitations=Invitation.objects.filter(
            within("created_at") | by_verdict | by_result | by_effect, organization=organization
        ),
        results=results,
        effects=effects,
        calls=ApiCall.objects.filter(reaches_into, organization=organization, at__lt=until),
        acted=lambda: within("at"),
    )


def files(selection: Selection) -> dict[str, QuerySet[Model]]:
    """Return the selected rows by the file that they are packed into, in this order.

    Verdicts before entries: an erasure in between is then on record in what follows.
    """
    return {
        "candidates.jsonl": selection.candidates,
        "deliveries.jsonl": selection.deliveries,
        "invitations.jsonl": selection.invitations,
        "results.jsonl": selection.results,
        "effects.jsonl": selection.effects,
        "calls.jsonl": selection.calls,
        "verdicts.jsonl": selection.verdicts,
        "audit_entries.jsonl": selection.audit_entries(),
    }


def is_empty(selection: Selection) -> bool:
    """Whether nothing was received, decided, sent or changed; records of removals alone don't count."""
    acts = selection.audit_entries().exclude(action__in=REMOVALS)
    selected = files(selection) | {"audit_entries.jsonl": acts}
    return not any(rows.exists() for rows in selected.values())


# How rows stand in a pack: every column but encrypted ones, one JSON object a line.


READ_AT_ONCE = 1000
#: What of an e-mail to the team is about others: who got it, and what it says about further candidates.
_ABOUT_OTHERS = ("recipients", "sent_to", "appended")
#: What of a webhook's body would let a reader send it once more.
_SIGNED = ("signature", "token")


def lines(rows: QuerySet[Model], told: Callable[[Model], dict[str, object]]) -> Iterator[bytes]:
    """Yield the rows, as `told`, as lines of JSON, oldest first; those of a chain by position."""
    order = "position" if issubclass(rows.model, Chained) else "pk"
    for row in rows.order_by(order).iterator(chunk_size=READ_AT_ONCE):
        yield line(told(row))


def record(row: Model) -> dict[str, object]:
    """Return a row's columns by name. Times are in UTC with microseconds, decimals are text."""
    return {
        field.attname: _json(field.attname, getattr(row, field.attname))
        for field in row._meta.concrete_fields
        if not isinstance(field, EncryptedTextField)
    }


def record_of_one(row: Model) -> dict[str, object]:
    """Return a row's columns as far as they are about the row's own candidate, for readers who may know of that one."""
    columns = record(row)
    payload = columns.get("payload")
    if isinstance(row, Effect) and isinstance(payload, dict):
        columns["payload"] = {name: value for name, value in payload.items() if name not in _ABOUT_OTHERS}
    return columns


def links(organization_id: int, first: int, last: int) -> Iterator[bytes]:
    """Yield what the hashes of the chain are made of, from position to position; no personal text of a candidate."""
    positions = {"position__range": (first, last)}
    entries = AuditEntry.objects.in_chain(organization_id).filter(**positions)
    verdicts = Verdict.objects.in_chain(organization_id).filter(**positions)
    both: tuple[Iterator[Chained], Iterator[Chained]] = (
        entries.iterator(READ_AT_ONCE),
        verdicts.iterator(READ_AT_ONCE),
    )
    for row in merge(*both, key=attrgetter("position")):
        yield line(
            {
                "chain": row.chain,
                "position": row.position,
                "previous": row.previous_hash,
                "kind": row.KIND.value,
                "row": row.hashed_row(),
                "text": row.text_digest,
                "hash": row.hash,
            }
        )


def line(value: dict[str, object]) -> bytes:
    """Return a JSON object as a line."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _json(name: str, value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return str(value)
    if name == "payload" and isinstance(value, dict):
        return {key: "[removed]" if key in _SIGNED else item for key, item in value.items()}
    return value
