"""Tell in Lever who waits, once, and how it ended: a recruiter who never opens the portal isn't left guessing.

Which notes are due is found out by the clock, by comparing the rows with the notes: each way into a wait and out of it
is covered without being listed. A wait that ends soon leaves none.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain, islice

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from integrations.codescreen.models import CodeScreenConnection
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import WAITING_VERDICTS
from integrations.effects.kinds.messages import LEAVE_NOTE, note_on
from integrations.effects.waits import (
    END_OF_WAIT,
    IS_OVER,
    WAITING_STATUSES,
    text_of_end,
    text_of_wait,
    wait_of,
)
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect

#: A shorter wait is nothing that people have to know.
TOLD_AFTER = timedelta(minutes=5)
TOLD_AFTER_MINUTES = TOLD_AFTER // timedelta(minutes=1)
#: In one turn of the duty, which is each minute, of each of the two notes; Lever allows 600 calls in that time.
MOST_AT_ONCE = 100
#: After all else that one candidate or organization waits for.
LAST = 9

_writable = Q(organization__lever_connection__state=LeverConnection.State.CONNECTED)
_wanted = _writable & Q(organization__note_on_wait=True)
_works = Q(organization__codescreen_connection__state=CodeScreenConnection.State.CONNECTED)
_told = Effect.objects.filter(
    open_wait__isnull=False,
    organization=OuterRef("organization"),
    opportunity_id=OuterRef("opportunity_id"),
)


def organizations_with_untold_waits() -> set[int]:
    """Return the organizations for whose candidates a note is due; a few queries over all of them."""
    rows = (
        _waiting_invitations(),
        _held_up_invitations(),
        _waiting_deliveries(),
        _ended(),
    )
    return {pk for each in rows for pk in each.order_by().values_list("organization", flat=True).distinct()}


def tell_waits(organization: Organization) -> None:
    """Enqueue the notes that are due. Safe to run twice and at once: each looks again before it writes.

    While Lever isn't connected nothing can be written; of a wait that is over before it is, nothing has to be.
    """
    if organization.working_lever is None:
        return
    for told in _own(_ended().select_related("invitation", "delivery", "organization"), organization):
        _tell_end(told)
    waiting: Iterator[tuple[QuerySet[Invitation] | QuerySet[Delivery], int]] = chain(
        _keys(_waiting_invitations(), organization),
        _keys(_held_up_invitations(), organization),
        _keys(_waiting_deliveries(), organization),
    )
    for rows, pk in islice(waiting, MOST_AT_ONCE):
        _tell_wait(organization.pk, rows, pk)


def _own[Row: (Effect, Invitation, Delivery)](
    rows: QuerySet[Row], organization: Organization
) -> QuerySet[Row]:
    return rows.filter(organization=organization).order_by("pk")[:MOST_AT_ONCE]


def _keys[Row: (Invitation, Delivery)](
    rows: QuerySet[Row], organization: Organization
) -> Iterator[tuple[QuerySet[Row], int]]:
    """Yield the keys of the organization's rows, each with the query: whether it is still true is asked again."""
    for row in _own(rows, organization):
        yield rows, row.pk


def _waiting_invitations() -> QuerySet[Invitation]:
    """Invitations on hold and possibly sent ones, where no note tells of that."""
    told = _told.filter(invitation=OuterRef("pk"), open_wait=OuterRef("status"))
    rows = Invitation.objects.filter(_wanted, status__in=WAITING_STATUSES, erased_at__isnull=True)
    return rows.filter(~Exists(told), changed_at__lt=Now() - TOLD_AFTER)


def _held_up_invitations() -> QuerySet[Invitation]:
    """Decided invitations that a pause or a missing connection keeps from being sent, where no note tells of that.

    When that began isn't known: the note about it is enqueued at once, and is due after TOLD_AFTER.
    """
    told = _told.filter(Q(invitation=OuterRef("pk")) | Q(invitation__isnull=True))
    rows = Invitation.objects.filter(_wanted, status=InvitationStatus.PENDING, erased_at__isnull=True)
    is_held_up = Q(organization__paused=True) | ~_works
    return rows.filter(is_held_up, ~Exists(told))


def _waiting_deliveries() -> QuerySet[Delivery]:
    """The latest stage changes of candidates that wait for the end of a pause or a connection; no note tells so."""
    latest = Candidate.objects.filter(
        organization=OuterRef("organization"),
        opportunity_id=OuterRef("opportunity_id"),
        delivery=OuterRef("pk"),
        erased_at__isnull=True,
    )
    rows = Delivery.objects.stranded().filter(_wanted, decided_at__lt=Now() - TOLD_AFTER)
    return rows.filter(Exists(latest), ~Exists(_told.filter(invitation__isnull=True)))


def _ended() -> QuerySet[Effect]:
    """Notes that are left, or given up, about waits that are over."""
    rows = Effect.objects.filter(_writable, IS_OVER, open_wait__isnull=False)
    return rows.exclude(state=Effect.State.DUE)


def _tell_wait(organization_id: int, rows: QuerySet[Invitation] | QuerySet[Delivery], pk: int) -> None:
    with transaction.atomic():
        organization = Organization.objects.lock(organization_id)
        row = rows.filter(pk=pk).first()
        if row is None:  # another worker has told it, or it is over
            return
        invitation = row if isinstance(row, Invitation) else None
        delivery = row if isinstance(row, Delivery) else None
        code = wait_of(invitation, organization) if invitation else delivery.verdict if delivery else ""
        if not code:
            return
        is_held_up = invitation is not None and code in WAITING_VERDICTS
        notes = Effect.objects.filter(
            organization=organization, opportunity_id=row.opportunity_id, kind=Effect.Kind.LEAVE_NOTE
        )
        key = f"{row.opportunity_id}:wait:{code}:{notes.count()}"
        # what it waited for before led to this wait, and one more note says how both end
        before = notes.filter(Q(invitation=invitation) | Q(invitation__isnull=True), open_wait__isnull=False)
        before.exclude(state=Effect.State.DUE).update(open_wait=None)
        LEAVE_NOTE.enqueue(
            organization.pk,
            key,
            note_on(row.opportunity_id, text_of_wait(invitation, code), code),
            wait=TOLD_AFTER if is_held_up else timedelta(0),
            priority=LAST,
            opportunity_id=row.opportunity_id,
            invitation=invitation,
            delivery=delivery,
            open_wait=code,
        )


def _tell_end(told: Effect) -> None:
    was_left = told.state == Effect.State.DONE and not told.wrote_nothing
    text = text_of_end(told) if was_left else ""
    if text is None:  # it began again a moment ago
        return
    with transaction.atomic():
        # unless another worker was faster, or a failed one is tried again meanwhile
        unchanged = Effect.objects.filter(pk=told.pk, open_wait=told.open_wait, state=told.state)
        is_ours = unchanged.update(open_wait=None)
        if is_ours and text:
            LEAVE_NOTE.enqueue(
                told.organization_id,
                f"{told.opportunity_id}:{END_OF_WAIT}:{told.pk}",
                note_on(told.opportunity_id, text, END_OF_WAIT),
                priority=LAST,
                opportunity_id=told.opportunity_id,
                invitation=told.invitation,
                delivery=told.delivery,
            )
