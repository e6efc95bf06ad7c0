"""Empty messages that are older than the retention: every call, e-mail and alert, and webhooks about no candidate."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, cast

from django.db import transaction
from django.db.models import Model, Q, QuerySet

from integrations.data_inventory import CANDIDATE_TABLES, Table
from integrations.duty_budget import Budget
from integrations.models import (
    Actor,
    ApiCall,
    AuditAction,
    AuditTarget,
    Changes,
    Delivery,
    Effect,
    Organization,
    TargetKind,
    Verdict,
    audit,
    erased_positions,
)
from integrations.verdict_code import IMPERSONAL_VERDICTS
from integrations.vocabulary import ErasureCause
from integrations.workflow.effects.registry import EFFECT_KINDS, MESSAGES
from integrations.workflow.erasure.columns import (
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
    & reduce(or_, (Q(kind=kind) & ~Q(payload=EFFECT_KINDS[kind].kept_payload({})) for kind in MESSAGES)),
    Delivery: Q(opportunity_id="", decided_at__isnull=False),
}


#: So many rows are emptied in one transaction.
BATCH = 1000


def erase_old_messages(organization: Organization, before: datetime, actor: Actor, budget: Budget) -> int:
    """Empty them, a batch in each transaction, with an audit entry where any was changed; return how many.

    Raises CallDeferred when the turn is over before all are emptied.
    """
    tables = [table for table in CANDIDATE_TABLES if model_of(table) in _BY_AGE]
    begin, last = cast("tuple[int, int]", budget.place.get("messages", (0, 0)))
    total = 0
    for number, table in list(enumerate(tables))[begin:]:
        model = model_of(table)
        old = {"organization": organization, f"{table.age}__lt": before}
        rows = model._base_manager.filter(_BY_AGE[model], **old)
        columns = columns_read(table)
        while batch := list(rows.filter(pk__gt=last).order_by("pk").values(*columns)[:BATCH]):
            with transaction.atomic():
                count = _empty(table, rows, batch)
                _record(organization, before, actor, {model._meta.db_table: count}, [])
            total, last = total + count, batch[-1]["pk"]
            budget.part_done({"messages": [number, last]})
        last = 0
    return total + _erase_verdicts(organization, before, actor, budget)


def _erase_verdicts(organization: Organization, before: datetime, actor: Actor, budget: Budget) -> int:
    """Empty the texts of verdicts about no candidate; return how many."""
    verdicts = Verdict.objects.filter(
        organization=organization, delivery__opportunity_id="", delivery__received_at__lt=before
    )
    verdicts = verdicts.exclude(text_salt="").exclude(code__in=IMPERSONAL_VERDICTS)
    total = 0
    while keys := list(verdicts.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            texts = Verdict.objects.filter(pk__in=keys).erase_text()
            _record(organization, before, actor, {Verdict._meta.db_table: len(texts)}, texts)
        total += len(texts)
        budget.part_done()
    return total


def _empty(table: Table, rows: QuerySet[Model], batch: Sequence[Mapping[str, Any]]) -> int:
    """Empty these of the rows, those that are emptied alike in one statement; return how many were changed."""
    alike: defaultdict[str, list[int]] = defaultdict(list)
    changes: dict[str, dict[str, object]] = {}
    for row in batch:
        if changed := changes_of(table, row, None):
            key = json.dumps(changed, sort_keys=True)
            changes[key] = changed
            alike[key].append(row["pk"])
    return sum(rows.filter(pk__in=keys).update(**changes[key]) for key, keys in alike.items())


def _record(
    organization: Organization,
    before: datetime,
    actor: Actor,
    counts: Mapping[str, int],
    texts: Sequence[int],
) -> None:
    """Put on record what was emptied, and which texts of the chain, in the transaction that does it."""
    counts = {name: count for name, count in counts.items() if count}
    if not counts:
        return
    target = AuditTarget(
        TargetKind.ERASURE, None, f"messages from before {before:%-d %B %Y}", organization.pk
    )
    changes: Changes = {"rows": ({}, counts), **erased_positions(texts)}
    because = f"Because {ErasureCause.RETENTION.label}."
    audit(target, actor, AuditAction.ERASE, changes, because)
    transaction.on_commit(overwrite_deleted)
