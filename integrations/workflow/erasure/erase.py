"""Erase one person's data: name, addresses, texts and bodies of every row that concerns the opportunity.

Ids, codes, scores, times and counts stay. The rows are found by the data inventory, so that a new table is covered once
it is declared there.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Now

from integrations.data_inventory import CANDIDATE_TABLES, Table
from integrations.models import (
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    Candidate,
    Changes,
    Delivery,
    Effect,
    Erasure,
    Invitation,
    OpportunityPerson,
    Organization,
    TargetKind,
    Verdict,
    erased_positions,
)
from integrations.vocabulary import ErasureCause
from integrations.workflow.erasure.columns import IMPERSONAL_VERDICTS, changes_of, columns_read, model_of
from integrations.workflow.erasure.database_file import overwrite_deleted
from integrations.workflow.erasure.emails import (
    digests_about,
    emails_of_nobody,
    erase_emails,
    waiting_emails,
)
from integrations.workflow.erasure.in_flight import (
    end_journeys,
    mark_erased,
    remove_reports,
    stop_effects,
    take_back_deliveries,
)
from integrations.workflow.erasure.queue_tables import empty_queue_tables
from integrations.workflow.erasure.receipt import Receipt
from integrations.workflow.erasure.rows import mentioning_rows, rows_of
from integrations.workflow.erasure.subject import Subject, subject_of


@dataclass(frozen=True)
class Found:
    """What mentions the person beside the rows of the opportunity: by table, and e-mails that belong to nobody."""

    rows: Mapping[str, list[int]]
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
            return Receipt.of(earlier)
        if not _is_known(subject, found, deciding):
            return None
        erasure, _ = Erasure.objects.update_or_create(
            organization=organization,
            opportunity_id=opportunity_id,
            defaults={"cause": cause, "erased_at": Now(), "repeated_at": None},
        )
        _erase_and_record(organization, erasure, subject, found, actor, deciding)
    return Receipt.of(erasure, is_new=True)


def repeat(organization: Organization, erasure: Erasure) -> None:
    """Erase again what workers wrote that held a row during the erasure; the receipt counts it too."""
    subject = subject_of(organization.pk, erasure.opportunity_id)
    found = _mentions(subject)
    with transaction.atomic():
        Organization.objects.lock(organization.pk)
        erasure = Erasure.objects.get(pk=erasure.pk)
        _erase_and_record(organization, erasure, subject, found, REPEATING, None)
        Erasure.objects.filter(pk=erasure.pk).update(repeated_at=Now())


def _mentions(subject: Subject) -> Found:
    rows = {table.model: keys for table in CANDIDATE_TABLES if (keys := mentioning_rows(table, subject))}
    return Found(rows, emails_of_nobody(subject))


def _is_known(subject: Subject, found: Found, deciding: Delivery | None) -> bool:
    """Whether a row concerns the opportunity, other than the delivery that says it was deleted."""
    for table in CANDIDATE_TABLES:
        rows = rows_of(table, subject)
        if deciding is not None:
            rows = _without(table, rows, deciding)
        if rows.exists():
            return True
    return bool(found.rows)


def _without(table: Table, rows: QuerySet[Model], deciding: Delivery) -> QuerySet[Model]:
    if model_of(table) is Delivery:
        return rows.exclude(pk=deciding.pk)
    names = {column.name for column in model_of(table)._meta.get_fields()}
    return rows.exclude(delivery=deciding) if "delivery" in names else rows


def _erase_and_record(
    organization: Organization,
    erasure: Erasure,
    subject: Subject,
    found: Found,
    actor: Actor,
    deciding: Delivery | None,
) -> None:
    """Erase, add what was changed to the receipt, and write an audit entry that covers the erased texts."""
    changed = _erase_rows(subject, found, deciding)
    remove_reports(subject, erasure.cause)
    verdicts = Verdict.objects.filter(pk__in=_keys(Verdict, subject, found)).exclude(
        code__in=IMPERSONAL_VERDICTS
    )
    entries = AuditEntry.objects.filter(pk__in=_keys(AuditEntry, subject, found))
    texts = {
        Verdict._meta.db_table: verdicts.erase_text(),
        AuditEntry._meta.db_table: entries.erase_text(),
    }
    counts = {name: len(rows) for name, rows in [*changed.items(), *texts.items()] if rows}
    empty_queue_tables()
    if not counts and erasure.rows:
        return
    erasure.rows = dict(sorted((Counter(erasure.rows) + Counter(counts)).items()))
    erasure.kept = _kept(subject)
    erasure.save(update_fields=["rows", "kept"])
    erasure.refresh_from_db()
    positions = chain.from_iterable(texts.values())
    changes: Changes = {"rows": ({}, counts), **erased_positions(positions)}
    target = AuditTarget(TargetKind.ERASURE, erasure.pk, f"opportunity {subject.opportunity_id}")
    because = f"Because {ErasureCause(erasure.cause).label}."
    AuditEntry.record(organization, actor, AuditAction.ERASE, target, changes, because)
    transaction.on_commit(overwrite_deleted)


def _erase_rows(subject: Subject, found: Found, deciding: Delivery | None) -> dict[str, set[int]]:
    """Erase all but the texts in the chain, and stop what is under way; return the keys of changed rows by table."""
    changed: dict[str, set[int]] = defaultdict(set)
    emails = [*found.emails, *digests_about(subject), *waiting_emails(subject)]
    changed[Effect._meta.db_table] |= erase_emails(emails, subject) | stop_effects(subject)
    changed[Invitation._meta.db_table] |= end_journeys(subject)
    changed[Candidate._meta.db_table] |= mark_erased(subject)
    take_back_deliveries(subject, deciding)
    people = OpportunityPerson.objects.filter(
        organization=subject.organization_id, opportunity_id=subject.opportunity_id
    )
    changed[OpportunityPerson._meta.db_table] |= set(people.values_list("pk", flat=True))
    people.delete()
    for table in CANDIDATE_TABLES:
        model = model_of(table)
        if model not in (Verdict, AuditEntry):
            changed[model._meta.db_table] |= _empty(table, subject, _keys(model, subject, found))
    return changed


def _keys(model: type[Model], subject: Subject, found: Found) -> list[int]:
    """Return the keys of the rows to erase in one table."""
    table = next(table for table in CANDIDATE_TABLES if table.model == model._meta.label)
    return [*rows_of(table, subject).values_list("pk", flat=True), *found.rows.get(table.model, [])]


def _empty(table: Table, subject: Subject, keys: list[int]) -> set[int]:
    """Empty the columns of these rows that are about a candidate; return the keys of those that were changed."""
    changed: set[int] = set()
    rows = model_of(table)._base_manager
    for start in range(0, len(keys), BATCH):
        batch = rows.filter(pk__in=keys[start : start + BATCH]).values(*columns_read(table))
        for row in batch:
            if changes := changes_of(table, row, subject):
                rows.filter(pk=row["pk"]).update(**changes)
                changed.add(row["pk"])
    return changed


def _kept(subject: Subject) -> dict[str, int]:
    """Return how many rows of the opportunity stay, by table."""
    kept = {model_of(table)._meta.db_table: rows_of(table, subject).count() for table in CANDIDATE_TABLES}
    return {name: count for name, count in sorted(kept.items()) if count}
