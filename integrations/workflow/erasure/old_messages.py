"""Empty messages that are older than the retention: every call, e-mail and alert, and webhooks about no candidate."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Model, Q, QuerySet

from integrations.data_inventory import CANDIDATE_TABLES, Table
from integrations.models import (
    Actor,
    ApiCall,
    AuditAction,
    AuditEntry,
    AuditTarget,
    Changes,
    Delivery,
    Effect,
    Organization,
    TargetKind,
    Verdict,
    erased_positions,
)
from integrations.vocabulary import ErasureCause
from integrations.workflow.erasure.columns import (
    EMPTY_EMAIL,
    IMPERSONAL_VERDICTS,
    changes_of,
    columns_read,
    model_of,
)
from integrations.workflow.erasure.database_file import overwrite_deleted

#: By model, the rows that are emptied because of their age alone. Those of a candidate go with the candidate, except
#: for the bodies of calls, for e-mails and for alerts.
_BY_AGE: Mapping[type[Model], Q] = {
    ApiCall: ~Q(request_body="", response_body="", error=""),
    Effect: ~Q(state=Effect.State.DUE)
    & (
        Q(kind=Effect.Kind.SEND_EMAIL) & ~Q(payload=EMPTY_EMAIL)
        | Q(kind=Effect.Kind.SEND_ALERT) & ~Q(payload={})
    ),
    Delivery: Q(opportunity_id="", decided_at__isnull=False),
}


def erase_old_messages(organization: Organization, before: datetime, actor: Actor) -> int:
    """Empty them, with one audit entry if any was changed; return how many. Called inside a transaction."""
    counts: dict[str, int] = {}
    for table in CANDIDATE_TABLES:
        condition = _BY_AGE.get(model_of(table))
        if condition is not None:
            rows = model_of(table)._base_manager.filter(
                condition, organization=organization, **{f"{table.age}__lt": before}
            )
            counts[model_of(table)._meta.db_table] = _empty(table, rows)
    verdicts = Verdict.objects.filter(
        organization=organization, delivery__opportunity_id="", delivery__received_at__lt=before
    )
    texts = verdicts.exclude(code__in=IMPERSONAL_VERDICTS).erase_text()
    counts[Verdict._meta.db_table] = len(texts)
    counts = {name: count for name, count in counts.items() if count}
    if counts:
        target = AuditTarget(TargetKind.ERASURE, None, f"messages from before {before:%-d %B %Y}")
        changes: Changes = {"rows": ({}, counts), **erased_positions(texts)}
        because = f"Because {ErasureCause.RETENTION.label}."
        AuditEntry.record(organization, actor, AuditAction.ERASE, target, changes, because)
        transaction.on_commit(overwrite_deleted)
    return sum(counts.values())


def _empty(table: Table, rows: QuerySet[Model]) -> int:
    count = 0
    for row in rows.values(*columns_read(table)).iterator():
        if changes := changes_of(table, row, None):
            model_of(table)._base_manager.filter(pk=row["pk"]).update(**changes)
            count += 1
    return count
