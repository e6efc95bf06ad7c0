"""Retention: messages, calls, webhooks' bodies and sign-ins go by their age, people so long after their journey.

This says which rows go, and when. The columns of its model declare which data of a row goes
(`store/personal.py`); of an effect's payload, its kind does.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, cast

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from integrations import stop_signal
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import (
    SIGN_INS_KEPT_FOR,
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    TargetKind,
)
from integrations.clients.duty_budget import Budget
from integrations.clients.models import RECORDS_KEPT_FOR, ApiCall
from integrations.core.verdict_code import IMPERSONAL_VERDICTS, VerdictCode
from integrations.core.vocabulary import ErasureCause
from integrations.data_inventory import candidate_tables
from integrations.effects.perform import EFFECT_KINDS, MESSAGES
from integrations.inbox.models.delivery import WAITING, Delivery, kept_of_payload
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.privacy.concerned import changed_alike, columns_read
from integrations.privacy.erase import erase, record_erasure
from integrations.privacy.lever_changes import may_be_confirmed
from integrations.privacy.models import Erasure

# Empty messages that are older than the retention: every call, e-mail and alert, and webhooks about no candidate.


#: By model, the column that a row's age counts from, and the rows that are emptied because of their age alone. Those
#: of a candidate go with the candidate, except for the bodies of calls, for e-mails and for alerts.
_BY_AGE: Mapping[type[Model], tuple[str, Q]] = {
    ApiCall: ("at", ~Q(request_body="", response_body="", error="")),
    Effect: (
        "created_at",
        ~Q(state=Effect.State.DUE)
        & reduce(or_, (Q(kind=kind) & ~Q(payload=EFFECT_KINDS[kind].kept_payload({})) for kind in MESSAGES)),
    ),
    Delivery: ("received_at", Q(opportunity_id="", decided_at__isnull=False)),
}


#: So many rows are emptied in one transaction.
MESSAGES_AT_ONCE = 1000


def erase_old_messages(organization: Organization, before: datetime, actor: Actor, budget: Budget) -> int:
    """Empty them, a batch in each transaction, with an audit entry where any was changed; return how many.

    Raises CallDeferred when the turn is over before all are emptied.
    """
    tables = [table for table in candidate_tables() if table.model in _BY_AGE]
    begin, last = cast("tuple[int, int]", budget.place.get("messages", (0, 0)))
    total = 0
    for number, table in list(enumerate(tables))[begin:]:
        model = table.model
        age, emptied = _BY_AGE[model]
        rows = model._base_manager.filter(emptied, organization=organization, **{f"{age}__lt": before})
        columns = columns_read(table)
        while batch := list(rows.filter(pk__gt=last).order_by("pk").values(*columns)[:MESSAGES_AT_ONCE]):
            with transaction.atomic():
                count = sum(
                    rows.filter(pk__in=keys).update(**changes)
                    for changes, keys in changed_alike(table, batch, None)
                )
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
    while keys := list(verdicts.order_by("pk").values_list("pk", flat=True)[:MESSAGES_AT_ONCE]):
        with transaction.atomic():
            texts = Verdict.objects.filter(pk__in=keys).erase_text()
            _record(organization, before, actor, {Verdict._meta.db_table: len(texts)}, texts)
        total += len(texts)
        budget.part_done()
    return total


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
    record_erasure(target, actor, ErasureCause.RETENTION.because, counts, texts)


# Retention: messages are emptied at a certain age, and people's data is erased so long after their journey's end.
#
# Messages come first: else, while there is a backlog of people, no message would be emptied.


#: So many people are looked up at once.
BATCH = 200
ACTOR = "retention"


def purge(organization: Organization, budget: Budget) -> int:
    """Erase what is older than the organization's retention; return how many people and other rows it was.

    Safe to run twice. Raises CallDeferred when the turn is over before all is erased.
    """
    if not organization.retention_days:
        return 0
    before = timezone.now() - timedelta(days=organization.retention_days)
    if "people" in budget.place:  # this turn goes on with people: the messages are done
        return _erase_people(organization, before, budget)
    count = erase_old_messages(organization, before, ACTOR, budget)
    return count + _erase_people(organization, before, budget)


def _erase_people(organization: Organization, before: datetime, budget: Budget) -> int:
    """Erase those whose time is over, in the order of their ids, from where the last turn ended; return how many."""
    begin, last = cast("tuple[int, str]", budget.place.get("people", (0, "")))
    count = 0
    for number, rows in enumerate(_over(organization, before)):
        if number < begin:
            continue
        ids = rows.order_by("opportunity_id").values_list("opportunity_id", flat=True).distinct()
        while batch := list(ids.filter(opportunity_id__gt=last)[:BATCH]):
            for last in batch:
                receipt = erase(organization, last, ErasureCause.RETENTION, ACTOR)
                count += receipt is not None and receipt.is_new
                budget.part_done({"people": [number, last]})
        last = ""
    return count


def _over(organization: Organization, before: datetime) -> tuple[QuerySet[Any], ...]:
    """Return the rows of those whose journeys ended before that time, or who had none and are as old.

    The portal no longer asking CodeScreen is an end too, started or not. A replay of an old delivery may store the
    candidate anew, although their data was erased since it was received.
    """
    status = Invitation.Status
    ended = (
        Q(status=status.COMPLETED, completed_at__lt=before)
        | Q(status__in=[status.WITHDRAWN, status.FAILED], changed_at__lt=before)
        | Q(following_ended_at__lt=before)
    )
    invitations = Invitation.objects.filter(organization=organization, erased_at__isnull=True)
    deliveries = Delivery.objects.filter(organization=organization).exclude(opportunity_id="")
    same = {"opportunity_id": OuterRef("opportunity_id")}
    is_going_on = Exists(invitations.exclude(ended).filter(**same)) | Exists(
        deliveries.filter(Q(received_at__gte=before) | Q(verdict="", due_at__isnull=False), **same)
    )
    erased_since = Erasure.objects.filter(
        organization=organization, erased_at__gte=OuterRef("received_at"), **same
    )
    invited = invitations.filter(ended)
    uninvited = deliveries.filter(~Exists(erased_since), received_at__lt=before)
    candidates = Candidate.objects.filter(organization=organization, entered_at__lt=before)
    named = candidates.filter(erased_at__isnull=True).exclude(name="", email="")
    return tuple(rows.filter(~is_going_on) for rows in (invited, named, uninvited))


# Erase by age what the log says of people's sign-ins: their name and the address of their client.


#: So many texts are emptied in one transaction.
REMOVED_AT_ONCE = 500


def erase_some_sign_ins(organization: Organization | None) -> int:
    """Empty at most REMOVED_AT_ONCE texts of the log with a client's address; return how many.

    They are older than SIGN_INS_KEPT_FOR. Without an organization it is the log of the portal as a whole. Safe to run
    twice and to be killed anywhere.
    """
    before = timezone.now() - SIGN_INS_KEPT_FOR
    old = AuditEntry.objects.filter(
        organization=organization,
        target_kind=TargetKind.ACCOUNT,
        at__lt=before,
        changes__has_key="address",
    ).exclude(text_salt="")
    with transaction.atomic():
        keys = list(old.order_by("position").values_list("pk", flat=True)[:REMOVED_AT_ONCE])
        if not keys:
            return 0
        positions = AuditEntry.objects.filter(pk__in=keys).erase_text()
        target = AuditTarget(TargetKind.ERASURE, None, f"sign-ins from before {before:%-d %B %Y}")
        rows = {AuditEntry._meta.db_table: len(positions)}
        record_erasure(target, ACTOR, ErasureCause.RETENTION.because, rows, positions, organization)
    return len(positions)


# Remove records by age: calls that no invitation needs, bodies and facts of decided webhooks, addresses of sign-ins.
#
# The rows of webhooks, their verdicts and the chain stay, so that everything stays explained and a webhook that is
# sent once more is still recognized. What an invitation rests on stays until the candidate's data is erased.


PAUSE_SECONDS = 0.05


def remove_old_records(organization: Organization, budget: Budget) -> int:
    """Remove what is older than RECORDS_KEPT_FOR, and old sign-ins; return how many rows that changed.

    Safe to run twice and to be killed anywhere. Raises CallDeferred when there is more to do.
    """
    count = _delete_calls(organization, budget) + _empty_bodies(organization, budget)
    while erased := erase_some_sign_ins(organization):
        count += erased
        budget.part_done()
    return count


def _delete_calls(organization: Organization, budget: Budget) -> int:
    before = timezone.now() - RECORDS_KEPT_FOR
    # an answer that came again later is on record with the first such call
    is_over = Q(last_at__isnull=True) | Q(last_at__lt=before)
    calls = ApiCall.objects.filter(~_is_invited(organization), is_over, organization=organization)
    calls = calls.filter(~may_be_confirmed(organization))
    count = 0
    for batch in _batches(calls.only("at"), "at", before, budget):
        with transaction.atomic():
            ApiCall.objects.filter(pk__in=[call.pk for call in batch]).delete()
            if not count:
                _record_removal(organization, "calls", before)
        count += len(batch)
    return count


def _empty_bodies(organization: Organization, budget: Budget) -> int:
    """Reduce the bodies of decided webhooks to ids and times, from where the last run ended."""
    before = timezone.now() - RECORDS_KEPT_FOR
    deliveries = Delivery.objects.filter(
        ~_is_invited(organization), organization=organization, due_at__isnull=True
    )
    # who is offered may still be chosen by a person
    deliveries = deliveries.exclude(WAITING | Q(verdict__in=["", VerdictCode.ENTERED_BEFORE]))
    since, count = organization.bodies_emptied_until, 0
    if since is not None:
        deliveries = deliveries.filter(decided_at__gte=since)
    # by when they were decided: one that waited for long lies ahead of where the last run ended
    read = deliveries.only("payload", "decided_at")
    for batch in _batches(read, "decided_at", before, budget):
        changed = [delivery for delivery in batch if _is_emptied(delivery)]
        with transaction.atomic():
            # the organization first, as decisions lock; what is left out here goes with the candidate's data
            Organization.objects.filter(pk=organization.pk).update(bodies_emptied_until=batch[-1].decided_at)
            Delivery.objects.bulk_update(changed, ["payload"], batch_size=100)
            if changed and not count:
                _record_removal(organization, "bodies of webhooks", before)
        count += len(changed)
    return count


def _is_emptied(delivery: Delivery) -> bool:
    """Reduce the body of the object; return whether anything was to be removed."""
    whole = delivery.payload
    delivery.payload = kept_of_payload(whole)
    return bool(whole != delivery.payload)


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
    while batch := list(following[:REMOVED_AT_ONCE]):
        yield batch
        last = getattr(batch[-1], column)
        later = Q(**{f"{column}__gt": last}) | Q(**{column: last, "pk__gt": batch[-1].pk})
        following = rows.filter(later, **{f"{column}__gte": last})
        budget.part_done()
        stop_signal.wait(PAUSE_SECONDS)


def _record_removal(organization: Organization, what: str, before: datetime) -> None:
    """Put on record what is removed, in the transaction that begins it."""
    audit(organization, ACTOR, AuditAction.REMOVE_OLD, {what: (None, f"from before {before.isoformat()}")})
