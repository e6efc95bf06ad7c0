"""Which rows and columns an erasure concerns, and what stays of each."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.db.models import F, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from integrations.audit.models.entry import AuditEntry, TargetKind
from integrations.audit.record import audit_entries_about
from integrations.core.verdict_code import IMPERSONAL_VERDICTS
from integrations.core.vocabulary import FAILURE_REASONS
from integrations.inbox.models.delivery import Delivery, kept_of_payload
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import EFFECT_KINDS
from integrations.privacy.data_inventory import Table

# The person that an erasure is about: the ids, names and addresses by which rows are found. Kept nowhere afterwards.


_ADDRESS = re.compile(r"[^\s@\"'<>(),;:]+@[^\s@\"'<>(),;:]+")


@dataclass(frozen=True)
class Subject:
    """One opportunity's person: the ids of the opportunity and the contact, and every known name and address."""

    organization_id: int
    opportunity_id: str
    contact_ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    @property
    def own(self) -> dict[str, Any]:
        """The columns by which rows belong to the opportunity, for a query."""
        return {"organization": self.organization_id, "opportunity_id": self.opportunity_id}

    def is_mentioned(self, value: object) -> bool:
        """Whether a text, or a text anywhere in decoded JSON, contains an id, a name or an address as a whole."""
        return any(self._pattern.search(text) for text in texts_in(value))

    def is_named(self, value: object) -> bool:
        """Whether a text, or a text anywhere in decoded JSON, contains a name or an address as a whole."""
        patterns = [_whole(word) for word in self.names | self.addresses]
        return any(pattern.search(text) for text in texts_in(value) for pattern in patterns)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(_whole(word).pattern for word in self.written_forms))

    @cached_property
    def written_forms(self) -> tuple[str, ...]:
        """Everything that is looked for, as it may be written: plain, in JSON and in an address of the web."""
        words = {self.opportunity_id, *self.contact_ids, *self.names, *self.addresses} - {""}
        forms: set[str] = set()
        for word in words:
            forms |= {word, json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1], quote(word)}
        return tuple(sorted(forms))


def _whole(word: str) -> re.Pattern[str]:
    """Return the pattern of a word that isn't part of a longer one. Case counts only in a name of a single word."""
    pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
    is_single_word = not re.search(r"[\W\d_]", word)
    return re.compile(pattern if is_single_word else f"(?i:{pattern})")


def texts_in(value: object) -> Iterator[str]:
    """Yield every text in decoded JSON, the keys of objects too; a text itself."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from texts_in(item)
    elif isinstance(value, Iterable):
        for item in value:
            yield from texts_in(item)


def subject_of(organization_id: int, opportunity_id: str) -> Subject:
    """Return the person that the opportunity is about, as far as the portal's rows know."""
    own = {"organization": organization_id, "opportunity_id": opportunity_id}
    contact_ids, names, addresses = set[str](), set[str](), set[str]()
    for invitation in Invitation.objects.filter(**own):
        contact_ids.add(invitation.contact_id)
        names.add(invitation.candidate_name.strip())
        addresses.add(invitation.email.strip())
    for candidate in Candidate.objects.filter(**own):
        names.add(candidate.name.strip())
        addresses.add(candidate.email.strip())
    for delivery in Delivery.objects.filter(**own).only("payload"):
        data = delivery.payload.get("data") if isinstance(delivery.payload, dict) else None
        if isinstance(data, dict) and isinstance(data.get("contactId"), str):
            contact_ids.add(data["contactId"])
        addresses |= {found for text in texts_in(delivery.payload) for found in _ADDRESS.findall(text)}
    return Subject(
        organization_id,
        opportunity_id,
        frozenset(contact_ids - {""}),
        frozenset(names - {""}),
        frozenset(addresses - {""}),
    )


# What stays of each column when a row is erased.


ERASED = "The person's data was erased."

type Row = Mapping[str, object]


def columns_read(table: Table) -> list[str]:
    """Return the columns that deciding what stays depends on."""
    return [*dict.fromkeys(("pk", *table.candidate, *_ALSO_READ.get(table.model, ())))]


_ALSO_READ: Mapping[type[Model], tuple[str, ...]] = {
    Effect: ("kind", "state", "opportunity_id"),
    Delivery: ("verdict",),
}


def changes_of(table: Table, row: Row, subject: Subject | None) -> dict[str, object]:
    """Return the columns of a row that erasure changes, with what stays of them; empty when nothing is to be changed.

    Without a subject the row is emptied because of its age.
    """
    kept = {name: _kept(table, name, row, subject) for name in table.candidate}
    return {name: value for name, value in kept.items() if value != row[name]}


def changed_alike(
    table: Table, read: Iterable[Mapping[str, Any]], subject: Subject | None
) -> Iterator[tuple[dict[str, object], list[int]]]:
    """Yield what erasure changes of these rows, each with the keys of those that become the same: for one statement."""
    keys: defaultdict[str, list[int]] = defaultdict(list)
    changes: dict[str, dict[str, object]] = {}
    for row in read:
        if changed := changes_of(table, row, subject):
            changes[repr(changed)] = changed
            keys[repr(changed)].append(row["pk"])
    for text, changed in changes.items():
        yield changed, keys[text]


def _kept(table: Table, name: str, row: Row, subject: Subject | None) -> object:
    value = row[name]
    match table.model.__name__, name:
        case "Delivery", "payload":
            return kept_of_payload(value)
        case "Delivery", "explanation":
            return value if row["verdict"] in IMPERSONAL_VERDICTS else ""
        case "Effect", "payload":
            stored = value if isinstance(value, dict) and subject is not None else {}
            return EFFECT_KINDS[str(row["kind"])].kept_payload(stored)
        case "ApiCall", "path":
            path = str(value)
            is_personal = "@" in path or "%40" in path or (subject is not None and subject.is_named(path))
            return "/" if is_personal else path
        case "Result", "failure_reason":
            return value if value in FAILURE_REASONS else ""
        case "Invitation", "following_ended_reason":
            return ERASED
    return {} if isinstance(value, (dict, list)) else ""


# Which rows an erasure concerns: those of the opportunity, and those of none that mention the person.


#: What an audit entry is about where it concerns no candidate, or one that the row itself names.
_NOT_SEARCHED = (
    TargetKind.MEMBER,
    TargetKind.ACCOUNT,
    TargetKind.INVITATION,
    TargetKind.DELIVERY,
    TargetKind.EFFECT,
    TargetKind.ERASURE,
)


def rows_of(table: Table, subject: Subject) -> QuerySet[Model]:
    """Return the rows that belong to the opportunity."""
    if table.model is AuditEntry:
        return audit_entries_about(subject.organization_id, subject.opportunity_id).order_by("pk")
    rows = _owned(table, subject.organization_id)
    return rows.filter(**{table.opportunity: subject.opportunity_id}) if table.opportunity else rows.none()


def mentioning_rows(table: Table, subject: Subject) -> list[int]:
    """Return the keys of the rows that belong to no opportunity and mention the person; reads all of these rows.

    E-mails are not among them: they may be about several people (see `emails`).
    """
    rows = _owned(table, subject.organization_id)
    if table.opportunity:
        rows = rows.filter(**{table.opportunity: ""})
    if table.model is Effect:
        rows = rows.filter(kind__in=[kind for kind in Effect.Kind if kind != Effect.Kind.SEND_EMAIL])
    if table.model is AuditEntry:
        rows = rows.exclude(target_kind__in=_NOT_SEARCHED)
    names = list(table.candidate)
    return [
        row["pk"]
        for row in containing(rows, names, subject).values("pk", *names).iterator()
        if subject.is_mentioned([row[name] for name in names])
    ]


def containing(rows: QuerySet[Model], names: list[str], subject: Subject) -> QuerySet[Model]:
    """Return the rows in which one of the columns contains one of the words, perhaps as a part of a longer word."""
    texts = {f"{name}_as_text": Cast(F(name), TextField()) for name in names}
    # one pattern: the database goes through each text once, and not once for each word
    pattern = "|".join(re.escape(form) for form in subject.written_forms)
    is_found = Q(pk__in=[])
    for column in texts:
        is_found |= Q(**{f"{column}__iregex": pattern})
    found: QuerySet[Model] = rows.alias(**texts).filter(is_found)
    return found


def _owned(table: Table, organization_id: int) -> QuerySet[Model]:
    rows: QuerySet[Model] = table.model._base_manager.filter(organization=organization_id)
    return rows.order_by("pk")
