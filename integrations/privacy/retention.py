"""Retention: messages, calls, webhooks' bodies and sign-ins go by their age, people so long after their journey.

This says which rows go, and when. The columns of its model declare which data of a row goes
(`store/columns.py`); of an effect's payload, its kind does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from itertools import batched
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from integrations.audit.models.entry import (
    SIGN_INS_KEPT_FOR,
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    TargetKind,
)
from integrations.audit.record import audit
from integrations.clients.models import RECORDS_KEPT_FOR, ApiCall
from integrations.core.invitation_status import ON_THE_WAY
from integrations.core.verdict_code import IMPERSONAL_VERDICTS, VerdictCode
from integrations.core.vocabulary import ErasureCause
from integrations.inbox.models.delivery import WAITING, Delivery, kept_of_payload
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import EFFECT_KINDS, MESSAGES
from integrations.privacy.concerned import changed_alike, columns_read
from integrations.privacy.data_inventory import candidate_tables
from integrations.privacy.erase import erase, record_erasure
from integrations.privacy.lever_changes import may_be_confirmed
from integrations.privacy.models import Erasure
from integrations.store import database

# Empty messages that are older than the retention: every call, e-mail and chat message, and webhooks about nobody.


#: By model, the column that a row's age counts from, and the rows that are emptied because of their age alone. Those
#: of a candidate go with the candidate, except for the bodies of calls, for e-mails and messages.
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


def erase_old_messages(organization: Organization, before: datetime, actor: Actor) -> int:
    """Empty a batch of them in a transaction, with an audit entry; return how many, 0 when nothing is left."""
    for table in candidate_tables():
        model = table.model
        if model not in _BY_AGE:
            continue
        age, emptied = _BY_AGE[model]
        rows = model._base_manager.filter(emptied, organization=organization, **{f"{age}__lt": before})
        columns, last = columns_read(table), 0
        while batch := list(rows.filter(pk__gt=last).order_by("pk").values(*columns)[:MESSAGES_AT_ONCE]):
            last = batch[-1]["pk"]
            with transaction.atomic():
                count = sum(
                    rows.filter(pk__in=keys).update(**changes)
                    for changes, keys in changed_alike(table, batch, None)
                )
                _record(organization, before, actor, {model._meta.db_table: count}, [])
            if count:
                return count
    return _erase_verdicts(organization, before, actor)


def _erase_verdicts(organization: Organization, before: datetime, actor: Actor) -> int:
    """Empty a batch of the texts of verdicts about no candidate; return how many."""
    verdicts = Verdict.objects.filter(
        organization=organization, delivery__opportunity_id="", delivery__received_at__lt=before
    )
    verdicts = verdicts.exclude(text_salt="").exclude(code__in=IMPERSONAL_VERDICTS)
    keys = list(verdicts.order_by("pk").values_list("pk", flat=True)[:MESSAGES_AT_ONCE])
    with transaction.atomic():
        texts = Verdict.objects.filter(pk__in=keys).erase_text()
        _record(organization, before, actor, {Verdict._meta.db_table: len(texts)}, texts)
    return len(texts)


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


#: So many people are erased in one turn, each in a transaction of their own.
PEOPLE_AT_ONCE = 50
ACTOR = "retention"


def purge(organization: Organization) -> int:
    """Erase a batch of what is older than the organization's retention; return how many people or other rows.

    Call it again until it is 0. Safe to be killed anywhere.
    """
    if not organization.retention_days:
        return 0
    before = database.now() - timedelta(days=organization.retention_days)
    return erase_old_messages(organization, before, ACTOR) or _erase_people(organization, before)


def _erase_people(organization: Organization, before: datetime) -> int:
    """Erase some of those whose time is over; return how many."""
    count = 0
    for rows in _over(organization, before):
        ids = rows.order_by("opportunity_id").values_list("opportunity_id", flat=True).distinct()
        for opportunity_id in list(ids[: PEOPLE_AT_ONCE - count]):
            receipt = erase(organization, opportunity_id, ErasureCause.RETENTION, ACTOR)
            count += receipt is not None and receipt.is_new
    return count


def _over(organization: Organization, before: datetime) -> tuple[QuerySet[Any], ...]:
    """Return the rows of those whose journeys ended before that time, or who had none and are as old.

    The portal no longer asking CodeScreen is an end too, started or not; so is waiting for that long, such as for a
    person's decision. A replay of an old delivery may store the candidate anew, although their data was erased since it
    was received.
    """
    status = Invitation.Status
    ended = (
        Q(status=status.COMPLETED, completed_at__lt=before)
        | Q(status__in=[status.WITHDRAWN, status.FAILED, *ON_THE_WAY], changed_at__lt=before)
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
    is_erased = Exists(Erasure.objects.final().filter(organization=organization, **same))
    return tuple(rows.filter(~is_going_on, ~is_erased) for rows in (invited, named, uninvited))


# Erase by age what the log says of people's sign-ins: their name and the address of their client.


#: So many texts are emptied in one transaction.
REMOVED_AT_ONCE = 500


def erase_some_sign_ins(organization: Organization | None) -> int:
    """Empty at most REMOVED_AT_ONCE texts of the log with a client's address; return how many.

    They are older than SIGN_INS_KEPT_FOR. Without an organization it is the log of the portal as a whole. Safe to run
    twice and to be killed anywhere.
    """
    before = database.now() - SIGN_INS_KEPT_FOR
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


def remove_old_records(organization: Organization) -> int:
    """Remove a batch of what is older than RECORDS_KEPT_FOR, and of old sign-ins; return how many rows that changed.

    Call it again until it is 0. Safe to be killed anywhere.
    """
    return _delete_calls(organization) + _empty_bodies(organization) + erase_some_sign_ins(organization)


def _delete_calls(organization: Organization) -> int:
    before = database.now() - RECORDS_KEPT_FOR
    # an answer that came again later is on record with the first such call
    is_over = Q(last_at__isnull=True) | Q(last_at__lt=before)
    calls = ApiCall.objects.filter(~_is_invited(organization), is_over, organization=organization)
    calls = calls.filter(~may_be_confirmed(organization), at__lt=before)
    with transaction.atomic():
        keys = list(calls.order_by("at", "pk").values_list("pk", flat=True)[:REMOVED_AT_ONCE])
        ApiCall.objects.filter(pk__in=keys).delete()
        if keys:
            _record_removal(organization, "calls", before)
    return len(keys)


def _empty_bodies(organization: Organization) -> int:
    """Reduce a batch of bodies of decided webhooks to ids and times, from where the last one ended."""
    before = database.now() - RECORDS_KEPT_FOR
    deliveries = Delivery.objects.filter(
        ~_is_invited(organization), organization=organization, due_at__isnull=True, decided_at__lt=before
    )
    # who is offered may still be chosen by a person
    deliveries = deliveries.exclude(WAITING | Q(verdict__in=["", VerdictCode.ENTERED_BEFORE]))
    if organization.bodies_emptied_until is not None:
        deliveries = deliveries.filter(decided_at__gte=organization.bodies_emptied_until)
    # by when they were decided: one that waited for long lies ahead of where the last one ended
    read = deliveries.only("payload", "decided_at").order_by("decided_at", "pk").iterator(REMOVED_AT_ONCE)
    for batch in batched(read, REMOVED_AT_ONCE):
        changed = [delivery for delivery in batch if _is_emptied(delivery)]
        with transaction.atomic():
            # the organization first, as decisions lock; what is left out here goes with the candidate's data
            Organization.objects.filter(pk=organization.pk).update(bodies_emptied_until=batch[-1].decided_at)
            Delivery.objects.bulk_update(changed, ["payload"], batch_size=100)
            if changed:
                _record_removal(organization, "bodies of webhooks", before)
        if changed:
            return len(changed)
    return 0


def _is_emptied(delivery: Delivery) -> bool:
    """Reduce the body of the object; return whether anything was to be removed."""
    whole = delivery.payload
    delivery.payload = kept_of_payload(whole)
    return bool(whole != delivery.payload)


def _is_invited(organization: Organization) -> Exists:
    """Whether the row is about a candidate who has an invitation and whose data isn't erased yet."""
    invitations = Invitation.objects.filter(organization=organization, erased_at__isnull=True)
    return Exists(invitations.filter(opportunity_id=OuterRef("opportunity_id")))


def _record_removal(organization: Organization, what: str, before: datetime) -> None:
    """Put on record what is removed, in the transaction that does it."""
    audit(organization, ACTOR, AuditAction.REMOVE_OLD, {what: (None, f"from before {before.isoformat()}")})
