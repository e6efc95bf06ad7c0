"""Erase one person's data: name, addresses, texts and bodies of every row that concerns the opportunity.

Ids, codes, scores, times and counts stay. The data inventory says which rows there are: it has each table.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from itertools import batched, chain

from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Now

from integrations.audit.models.chain import ERASED_POSITIONS
from integrations.audit.models.entry import Actor, AuditAction, AuditEntry, AuditTarget, Changes
from integrations.audit.record import audit
from integrations.core.verdict_code import IMPERSONAL_VERDICTS
from integrations.core.vocabulary import ErasureCause
from integrations.http.json_values import JsonObject
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate, OpportunityPerson
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.privacy.concerned import (
    Subject,
    changed_alike,
    columns_read,
    mentioning_rows,
    rows_of,
    subject_of,
)
from integrations.privacy.data_inventory import Table, candidate_tables
from integrations.privacy.in_flight import (
    emails_of_nobody,
    end_journeys,
    erase_emails,
    mark_erased,
    remove_reports,
    stop_effects,
    take_back_deliveries,
    waiting_emails,
)
from integrations.privacy.models import Erasure

#: While somebody reads, SQLite's log can't be emptied. An erasure tries for a moment, its repetition for longer.
MOMENT_SECONDS, LONG_SECONDS = 0.2, 5.0
PAUSE_SECONDS = 0.01


def overwrite_deleted(seconds: float = MOMENT_SECONDS) -> None:
    """Move the write-ahead log into the database and empty it, on SQLite: the log still holds the texts from before.

    `secure_delete` overwrites what is deleted in the database itself. While somebody reads, this is tried again for so
    many seconds; then the next erasure does it, or the repetition. On PostgreSQL, VACUUM removes what was changed.
    """
    if connection.vendor != "sqlite":
        return
    deadline = time.monotonic() + seconds
    while True:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            is_busy, *_ = cursor.fetchone()
        if not is_busy or time.monotonic() >= deadline:
            return
        time.sleep(PAUSE_SECONDS)


@dataclass(frozen=True)
class Receipt:
    """One opportunity's erasure, and whether something was done now."""

    erasure: Erasure
    is_new: bool = False

    def to_json(self) -> JsonObject:
        """Return the receipt as `forget` and `export erasures` print it."""
        return {
            "opportunity_id": self.erasure.opportunity_id,
            "erased_at": self.erasure.erased_at.astimezone(UTC).isoformat(),
            "cause": str(self.erasure.cause),
            "rows": self.erasure.rows,
            "kept": self.erasure.kept,
        }


@dataclass(frozen=True)
class Found:
    """What mentions the person beside the rows of the opportunity: by table, and e-mails that belong to nobody."""

    rows: Mapping[type[Model], list[int]]
    emails: list[int]


BATCH = 500
#: Who acts when an erasure is repeated.
REPEATING = "repeated erasure"


def erase(
    organization: Organization,
    opportunity_id: str,
    cause: ErasureCause,
    actor: Actor,
    *,
    deciding: Delivery | None = None,
) -> Receipt | None:
    """Erase the opportunity's person and return the receipt; None when the portal has no row about the opportunity.

    After a final erasure nothing more is changed: the stored receipt is returned. Safe to run twice and to be killed
    anywhere. The lease on `deciding` stays: its holder is the caller.
    """
    # reading all texts takes long, so it is done before anything is locked; what is written meanwhile is found when
    # the erasure is repeated
    subject = subject_of(organization.pk, opportunity_id)
    found = _mentions(subject)
    with transaction.atomic():
        Organization.objects.lock(organization.pk)
        earlier = Erasure.objects.filter(organization=organization, opportunity_id=opportunity_id).first()
        if earlier is not None and earlier.is_final:
            return Receipt(earlier)
        if not _is_known(subject, found, deciding):
            return None
        erasure, _ = Erasure.objects.update_or_create(
            organization=organization,
            opportunity_id=opportunity_id,
            defaults={"cause": cause, "erased_at": Now(), "repeated_at": None},
        )
        _erase_and_record(erasure, subject, found, actor, deciding)
    return Receipt(erasure, is_new=True)


def repeat(organization: Organization, erasure: Erasure) -> None:
    """Erase again what workers wrote that held a row during the erasure; the receipt counts it too."""
    subject = subject_of(organization.pk, erasure.opportunity_id)
    found = _mentions(subject)
    with transaction.atomic():
        Organization.objects.lock(organization.pk)
        erasure = Erasure.objects.get(pk=erasure.pk)
        _erase_and_record(erasure, subject, found, REPEATING, None)
        Erasure.objects.filter(pk=erasure.pk).update(repeated_at=Now())


def _mentions(subject: Subject) -> Found:
    rows = {table.model: keys for table in candidate_tables() if (keys := mentioning_rows(table, subject))}
    return Found(rows, emails_of_nobody(subject))


def _is_known(subject: Subject, found: Found, deciding: Delivery | None) -> bool:
    """Whether a row concerns the opportunity, other than the delivery that says it was deleted."""
    for table in candidate_tables():
        rows = rows_of(table, subject)
        if deciding is not None:
            rows = _without(table, rows, deciding)
        if rows.exists():
            return True
    return bool(found.rows)


def _without(table: Table, rows: QuerySet[Model], deciding: Delivery) -> QuerySet[Model]:
    if table.model is Delivery:
        return rows.exclude(pk=deciding.pk)
    names = {column.name for column in table.model._meta.get_fields()}
    return rows.exclude(delivery=deciding) if "delivery" in names else rows


def _erase_and_record(
    erasure: Erasure,
    subject: Subject,
    found: Found,
    actor: Actor,
    deciding: Delivery | None,
) -> None:
    """Erase, add what was changed to the receipt, and write an audit entry that covers the erased texts."""
    # first: a poll that is recording a result now ends before, and what it enqueued is stopped with the rest
    Invitation.objects.lock_all_of(subject.organization_id, subject.opportunity_id)
    remove_reports(subject, erasure.cause)
    changed, own = _erase_rows(erasure.organization, subject, found, deciding)
    verdicts = Verdict.objects.filter(pk__in=[*own[Verdict], *found.rows.get(Verdict, [])])
    verdicts = verdicts.exclude(code__in=IMPERSONAL_VERDICTS)
    entries = AuditEntry.objects.filter(pk__in=[*own[AuditEntry], *found.rows.get(AuditEntry, [])])
    texts = {
        Verdict._meta.db_table: verdicts.erase_text(),
        AuditEntry._meta.db_table: entries.erase_text(),
    }
    counts = {name: len(rows) for name, rows in [*changed.items(), *texts.items()] if rows}
    if not counts and erasure.rows:
        return
    erasure.rows = dict(sorted((Counter(erasure.rows) + Counter(counts)).items()))
    erasure.kept = dict(sorted((model._meta.db_table, len(keys)) for model, keys in own.items() if keys))
    erasure.save(update_fields=["rows", "kept"])
    erasure.refresh_from_db()
    positions = chain.from_iterable(texts.values())
    record_erasure(erasure, actor, ErasureCause(erasure.cause).because, counts, positions)


def record_erasure(
    about: Erasure | AuditTarget,
    actor: Actor,
    because: str,
    counts: Mapping[str, int],
    positions: Iterable[int],
    organization: Organization | None = None,
) -> None:
    """Put on record how many rows were emptied, and which texts of the chain, in the transaction that does it."""
    changes: Changes = {"rows": ({}, counts), ERASED_POSITIONS: (None, sorted(positions))}
    audit(about, actor, AuditAction.ERASE, changes, because, organization=organization)
    transaction.on_commit(overwrite_deleted)


def _erase_rows(
    organization: Organization, subject: Subject, found: Found, deciding: Delivery | None
) -> tuple[dict[str, set[int]], dict[type[Model], list[int]]]:
    """Erase all but the texts in the chain, and stop what is under way.

    Return the keys of changed rows by table, and of all rows of the opportunity by model.
    """
    changed: dict[str, set[int]] = defaultdict(set)
    emails = [*found.emails, *waiting_emails(subject)]
    changed[Effect._meta.db_table] |= erase_emails(emails) | stop_effects(subject)
    changed[Invitation._meta.db_table] |= end_journeys(organization, subject)
    changed[Candidate._meta.db_table] |= mark_erased(subject)
    take_back_deliveries(subject, deciding)
    people = OpportunityPerson.objects.filter(**subject.own)
    changed[OpportunityPerson._meta.db_table] |= set(people.values_list("pk", flat=True))
    people.delete()
    own: dict[type[Model], list[int]] = {}
    for table in candidate_tables():
        model, rows = table.model, rows_of(table, subject)
        if model in (Verdict, AuditEntry):
            own[model] = list(rows.values_list("pk", flat=True))
            continue
        read = list(rows.values(*columns_read(table)))
        own[model] = [row["pk"] for row in read]
        for keys in batched(found.rows.get(table.model, []), BATCH):
            read += model._base_manager.filter(pk__in=keys).values(*columns_read(table))
        for changes, alike in changed_alike(table, read, subject):
            for keys in batched(alike, BATCH):
                model._base_manager.filter(pk__in=keys).update(**changes)
            changed[model._meta.db_table].update(alike)
    return changed, own
