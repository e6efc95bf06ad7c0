"""Remove records by age: calls, bodies and facts of webhooks, and what the log says of sign-ins."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from integrations import stop_signal
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.chain import erased_positions
from integrations.audit.models.entry import AuditAction, AuditEntry, AuditTarget, TargetKind
from integrations.clients.models import ApiCall
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ErasureCause
from integrations.duty_budget import Budget
from integrations.inbox.models.delivery import Delivery, kept_of_payload
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.privacy.erase import overwrite_deleted
from integrations.privacy.lever_changes import may_be_confirmed

# Erase by age what the log says of people's sign-ins: their name and the address of their client.


ACTOR = "retention"
#: That an account was signed in to or changed, and when, stays; from where, for so long.
KEPT_FOR = timedelta(days=180)
#: So many texts are emptied in one transaction.
BATCH = 500


def erase_some_sign_ins(organization: Organization | None) -> int:
    """Empty at most BATCH texts of the log that hold a client's address and are older than KEPT_FOR; return how many.

    Without an organization it is the log of the portal as a whole. Safe to run twice and to be killed anywhere.
    """
    before = timezone.now() - KEPT_FOR
    old = AuditEntry.objects.filter(
        organization=organization,
        target_kind=TargetKind.ACCOUNT,
        at__lt=before,
        changes__has_key="address",
    ).exclude(text_salt="")
    with transaction.atomic():
        keys = list(old.order_by("position").values_list("pk", flat=True)[:BATCH])
        if not keys:
            return 0
        positions = AuditEntry.objects.filter(pk__in=keys).erase_text()
        target = AuditTarget(TargetKind.ERASURE, None, f"sign-ins from before {before:%-d %B %Y}")
        rows = {AuditEntry._meta.db_table: len(positions)}
        because = f"Because {ErasureCause.RETENTION.label}."
        changes = {"rows": ({}, rows), **erased_positions(positions)}
        audit(target, ACTOR, AuditAction.ERASE, changes, because, organization=organization)
        transaction.on_commit(overwrite_deleted)
    return len(positions)


# Remove records by age: calls that no invitation needs, bodies and facts of decided webhooks, addresses of sign-ins.
#
# The rows of webhooks, their verdicts and the chain stay, so that everything stays explained and a webhook that is
# sent once more is still recognized. What an invitation rests on stays until the candidate's data is erased.


PAUSE_SECONDS = 0.05


def remove_old_records(organization: Organization, budget: Budget) -> int:
    """Remove what is older than the organization's policies say; return how many rows that changed.

    Safe to run twice and to be killed anywhere. Raises CallDeferred when there is more to do.
    """
    count = _delete_calls(organization, budget) + _empty_bodies(organization, budget)
    while erased := erase_some_sign_ins(organization):
        count += erased
        budget.part_done()
    return count


def _delete_calls(organization: Organization, budget: Budget) -> int:
    if not organization.call_retention_days:
        return 0
    before = timezone.now() - timedelta(days=organization.call_retention_days)
    # an answer that came again later is on record with the first such call
    is_over = Q(last_at__isnull=True) | Q(last_at__lt=before)
    calls = ApiCall.objects.filter(~_is_invited(organization), is_over, organization=organization)
    calls = calls.filter(~may_be_confirmed(organization))
    count = 0
    for batch in _batches(calls.only("at"), "at", before, budget):
        with transaction.atomic():
            ApiCall.objects.filter(pk__in=[call.pk for call in batch]).delete()
            if not count:
                _record(organization, "calls", before)
        count += len(batch)
    return count


def _empty_bodies(organization: Organization, budget: Budget) -> int:
    """Reduce the bodies of decided webhooks to ids and times, from where the last run ended."""
    if not organization.delivery_retention_days:
        return 0
    before = timezone.now() - timedelta(days=organization.delivery_retention_days)
    deliveries = Delivery.objects.filter(
        ~_is_invited(organization), organization=organization, is_waiting=False, due_at__isnull=True
    )
    # who is offered may still be chosen by a person
    deliveries = deliveries.exclude(verdict__in=["", VerdictCode.ENTERED_BEFORE])
    since, count = organization.bodies_emptied_until, 0
    if since is not None:
        deliveries = deliveries.filter(decided_at__gte=since)
    # by when they were decided: one that waited for long lies ahead of where the last run ended
    read = deliveries.only("payload", "facts", "decided_at")
    for batch in _batches(read, "decided_at", before, budget):
        changed = [delivery for delivery in batch if _is_emptied(delivery)]
        with transaction.atomic():
            # the organization first, as decisions lock; what is left out here goes with the candidate's data
            Organization.objects.filter(pk=organization.pk).update(bodies_emptied_until=batch[-1].decided_at)
            Delivery.objects.bulk_update(changed, ["payload"], batch_size=100)
            Delivery.objects.filter(pk__in=[delivery.pk for delivery in changed]).update(facts=None)
            if changed and not count:
                _record(organization, "bodies of webhooks", before)
        count += len(changed)
    return count


def _is_emptied(delivery: Delivery) -> bool:
    """Reduce the body of the object and remove its facts; return whether anything was to be removed."""
    whole = delivery.payload, delivery.facts
    delivery.payload, delivery.facts = kept_of_payload(delivery.payload), None
    return whole != (delivery.payload, None)


def _is_invited(organization: Organization) -> Exists:
    """Whether the row is about a candidate who has an invitation and whose data isn't erased yet."""
    invitations = Invitation.objects.filter(organization=organization, erased_at__isnull=True)
    return Exists(invitations.filter(opportunity_id=OuterRef("opportunity_id")))


def _batches[Row: Model](
    rows: QuerySet[Row], column: str, before: datetime, budget: Budget
) -> Iterator[list[Row]]:
    """Yield the rows from before that time, oldest first, few at a time with pauses; no transaction spans two.

    Raises CallDeferred when the turn is over.
    """
    rows = rows.filter(**{f"{column}__lt": before}).order_by(column, "pk")
    following = rows
    while batch := list(following[:BATCH]):
        yield batch
        last = getattr(batch[-1], column)
        later = Q(**{f"{column}__gt": last}) | Q(**{column: last, "pk__gt": batch[-1].pk})
        following = rows.filter(later, **{f"{column}__gte": last})
        budget.part_done()
        stop_signal.wait(PAUSE_SECONDS)


def _record(organization: Organization, what: str, before: datetime) -> None:
    """Put on record what is removed, in the transaction that begins it."""
    audit(organization, ACTOR, AuditAction.REMOVE_OLD, {what: (None, f"from before {before.isoformat()}")})
