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

# Which rows an evidence pack holds: those of one candidate, or those of a period.


#: What the portal does, without a person's act, to rows that a reader may look for.
REMOVALS = AuditSubject.ERASED.actions


@dataclass(frozen=True)
class CandidateSelection:
    """Everything about one opportunity."""

    organization: Organization
    opportunity_id: str

    @property
    def description(self) -> dict[str, str]:
        """What was selected, for the manifest."""
        return {"opportunity_id": self.opportunity_id}

    def candidates(self) -> QuerySet[Candidate]:
        """Return the candidate, if they entered a trigger stage."""
        return Candidate.objects.filter(organization=self.organization, opportunity_id=self.opportunity_id)

    def deliveries(self) -> QuerySet[Delivery]:
        """Return what was received."""
        return Delivery.objects.filter(organization=self.organization, opportunity_id=self.opportunity_id)

    def verdicts(self) -> QuerySet[Verdict]:
        """Return what was decided."""
        own = Verdict.objects.in_chain(self.organization.pk)
        return own.filter(delivery__opportunity_id=self.opportunity_id)

    def invitations(self) -> QuerySet[Invitation]:
        """Return the invitations."""
        return Invitation.objects.filter(organization=self.organization, opportunity_id=self.opportunity_id)

    def results(self) -> QuerySet[Result]:
        """Return what CodeScreen stated."""
        return Result.objects.filter(invitation__in=self.invitations())

    def effects(self) -> QuerySet[Effect]:
        """Return what was sent and written."""
        return Effect.objects.filter(organization=self.organization, opportunity_id=self.opportunity_id)

    def calls(self) -> QuerySet[ApiCall]:
        """Return the requests to the platforms."""
        return ApiCall.objects.filter(organization=self.organization, opportunity_id=self.opportunity_id)

    def audit_entries(self) -> QuerySet[AuditEntry]:
        """Return what people did about the candidate, and every record of a removal."""
        about = audit_entries_about(self.organization.pk, self.opportunity_id)
        return _with_removals(self.organization, Q(pk__in=about.values("pk")))

    def acts(self) -> QuerySet[AuditEntry]:
        """Return what people did about the candidate, and what was removed of them."""
        return audit_entries_about(self.organization.pk, self.opportunity_id)


@dataclass(frozen=True)
class PeriodSelection:
    """Everything from `since` until before `until`."""

    organization: Organization
    since: datetime
    until: datetime

    @property
    def description(self) -> dict[str, str]:
        """What was selected, for the manifest."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat()}

    def _within(self, column: str) -> Q:
        return Q(**{f"{column}__gte": self.since, f"{column}__lt": self.until})

    def candidates(self) -> QuerySet[Candidate]:
        """Return who entered a trigger stage in the period, by their latest entry."""
        return Candidate.objects.filter(self._within("entered_at"), organization=self.organization)

    def deliveries(self) -> QuerySet[Delivery]:
        """Return what was received in the period, and what a verdict of the period is about."""
        decided = Exists(self.verdicts().filter(delivery=OuterRef("pk")))
        return Delivery.objects.filter(self._within("received_at") | decided, organization=self.organization)

    def verdicts(self) -> QuerySet[Verdict]:
        """Return what was decided in the period."""
        return Verdict.objects.in_chain(self.organization.pk).filter(self._within("decided_at"))

    def invitations(self) -> QuerySet[Invitation]:
        """Return the invitations that were made in the period, or that something of the period is about."""
        rows = Invitation.objects.filter(organization=self.organization)
        of_period = [
            Exists(of_invitations.filter(invitation=OuterRef("pk")))
            for of_invitations in (self.verdicts(), self.results(), self.effects())
        ]
        return rows.filter(self._within("created_at") | of_period[0] | of_period[1] | of_period[2])

    def results(self) -> QuerySet[Result]:
        """Return what CodeScreen stated in the period."""
        return Result.objects.filter(self._within("created_at"), organization=self.organization)

    def effects(self) -> QuerySet[Effect]:
        """Return what was to be sent and written in the period."""
        return Effect.objects.filter(self._within("created_at"), organization=self.organization)

    def calls(self) -> QuerySet[ApiCall]:
        """Return the requests to the platforms in the period, also those whose answer came again in it."""
        reaches_into = Q(at__gte=self.since) | Q(last_at__gte=self.since)
        return ApiCall.objects.filter(reaches_into, organization=self.organization, at__lt=self.until)

    def audit_entries(self) -> QuerySet[AuditEntry]:
        """Return what people did in the period, and every record of a removal."""
        return _with_removals(self.organization, self._within("at"))

    def acts(self) -> QuerySet[AuditEntry]:
        """Return what people did in the period, and what was removed in it."""
        return AuditEntry.objects.in_chain(self.organization.pk).filter(self._within("at"))


type Selection = CandidateSelection | PeriodSelection


def _with_removals(organization: Organization, selected: Q) -> QuerySet[AuditEntry]:
    """Return the selected entries and every record of a removal: they say why a text or a row is missing."""
    return AuditEntry.objects.in_chain(organization.pk).filter(selected | Q(action__in=REMOVALS))


def files(selection: Selection) -> dict[str, QuerySet[Model]]:
    """Return the selected rows by the file that they are packed into, in this order.

    Verdicts before entries: an erasure in between is then on record in what follows.
    """
    return {
        "candidates.jsonl": selection.candidates(),
        "deliveries.jsonl": selection.deliveries(),
        "invitations.jsonl": selection.invitations(),
        "results.jsonl": selection.results(),
        "effects.jsonl": selection.effects(),
        "calls.jsonl": selection.calls(),
        "verdicts.jsonl": selection.verdicts(),
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
