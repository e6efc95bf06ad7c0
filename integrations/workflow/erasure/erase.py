"""Erase one person's data: name, addresses, texts and bodies of every row that concerns the opportunity.

Ids, codes, scores, times and counts stay. The rows are found by the data inventory, so that a new table is covered once
it is declared there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import batched, chain
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Now

from integrations.data_inventory import CANDIDATE_TABLES, Table
from integrations.models import (
    Actor,
    AuditAction,
    AuditEntry,
    Candidate,
    Changes,
    Delivery,
    Effect,
    Erasure,
    Invitation,
    OpportunityPerson,
    Organization,
    Verdict,
    audit,
    erased_positions,
)
from integrations.verdict_code import IMPERSONAL_VERDICTS
from integrations.vocabulary import ErasureCause
from integrations.workflow.erasure.columns import changes_of, columns_read, model_of
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
    remove_reports(subject, erasure.cause)
    changed, own = _erase_rows(subject, found, deciding)
    verdicts = Verdict.objects.filter(pk__in=[*own[Verdict], *found.rows.get(Verdict._meta.label, [])])
    verdicts = verdicts.exclude(code__in=IMPERSONAL_VERDICTS)
    entries = AuditEntry.objects.filter(
        pk__in=[*own[AuditEntry], *found.rows.get(AuditEntry._meta.label, [])]
    )
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
    changes: Changes = {"rows": ({}, counts), **erased_positions(positions)}
    because = f"Because {ErasureCause(erasure.cause).label}."
    audit(erasure, actor, AuditAction.ERASE, changes, because)
    transaction.on_commit(overwrite_deleted)


def _erase_rows(
    subject: Subject, found: Found, deciding: Delivery | None
) -> tuple[dict[str, set[int]], dict[type[Model], list[int]]]:
    """Erase all but the texts in the chain, and stop what is under way.

    Return the keys of changed rows by table, and of all rows of the opportunity by model.
    """
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
    own: dict[type[Model], list[int]] = {}
    for table in CANDIDATE_TABLES:
        model, rows = model_of(table), rows_of(table, subject)
        if model in (Verdict, AuditEntry):
            own[model] = list(rows.values_list("pk", flat=True))
            continue
        read = list(rows.values(*columns_read(table)))
        own[model] = [row["pk"] for row in read]
        for keys in batched(found.rows.get(table.model, []), BATCH):
            read += model._base_manager.filter(pk__in=keys).values(*columns_read(table))
        changed[model._meta.db_table] |= _empty(table, subject, read)
    return changed, own


def _empty(table: Table, subject: Subject, read: Iterable[dict[str, Any]]) -> set[int]:
    """Empty the columns of these rows that are about a candidate; return the keys of those that were changed."""
    changed: dict[str, list[int]] = defaultdict(list)
    changes_by_text: dict[str, dict[str, object]] = {}
    for row in read:
        if changes := changes_of(table, row, subject):
            changes_by_text[repr(changes)] = changes
            changed[repr(changes)].append(row["pk"])
    # one statement for those that become the same: the organization is locked meanwhile
    for text, keys in changed.items():
        for batch in batched(keys, BATCH):
            model_of(table)._base_manager.filter(pk__in=batch).update(**changes_by_text[text])
    return set(chain.from_iterable(changed.values()))
