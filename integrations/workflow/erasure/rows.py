"""Which rows an erasure concerns: those of the opportunity, and those of none that mention the person."""

import re

from django.db.models import F, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast

from integrations.data_inventory import Table
from integrations.models import AuditEntry, Effect, TargetKind
from integrations.workflow.erasure.columns import model_of
from integrations.workflow.erasure.subject import Subject
from integrations.workflow.person.audit_entries import audit_entries_about

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
    model = model_of(table)
    if model is AuditEntry:
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
    if model_of(table) is Effect:
        rows = rows.filter(kind__in=[kind for kind in Effect.Kind if kind != Effect.Kind.SEND_EMAIL])
    if model_of(table) is AuditEntry:
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
    rows: QuerySet[Model] = model_of(table)._base_manager.filter(**{table.organization: organization_id})
    return rows.order_by("pk")
