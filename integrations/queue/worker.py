"""The worker: claim due rows and duties, and hand each to its step with the clients it needs."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from threading import Event, local

from integrations import stop_signal
from integrations.clients import call_log
from integrations.clients.hooks import CallContext
from integrations.clients.provider import clients_for
from integrations.core import correlation
from integrations.effects.perform import perform
from integrations.inbox.handle_delivery import handle_delivery
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.queue.duties import perform_duty
from integrations.queue.models.duty_run import DutyRun
from integrations.results.poll import PollOutcome, claim_polls, poll

type Row = Effect | Delivery | Invitation

READ_AGAIN_SECONDS = 1.0


class Organizations(local):
    """The organizations that the steps of one run read. Each thread has its own: a step may change what it holds."""

    def __init__(self) -> None:
        self._read: dict[int, tuple[float, Organization]] = {}

    def read(self, pk: int) -> Organization:
        """Return the organization as it is now."""
        self._read[pk] = time.monotonic(), Organization.objects.reread(pk)
        return self._read[pk][1]

    def recent(self, pk: int) -> Organization:
        """Return the organization as it was READ_AGAIN_SECONDS ago at most.

        One that holds its work up is read anew: a row is due again because that has ended.
        """
        at, organization = self._read.get(pk, (0.0, None))
        is_old = time.monotonic() - at > READ_AGAIN_SECONDS
        if organization is None or is_old or organization.paused or organization.disconnected_reason:
            return self.read(pk)
        return organization


def work(most: int | None = None) -> int:
    """Work due rows in this thread until none is left, `most` are worked or a stop is requested.

    Return how many were worked.
    """
    organizations, count, turn = Organizations(), 0, 0
    while not stop_signal.is_requested() and count != most:
        row = next(claim_rows(1, turn), None)
        if row is None:
            break
        count += work_on(row, organizations, most=None if most is None else most - count)
        turn += 1
    return count


def work_on(
    row: Row, organizations: Organizations, deadline: float | None = None, most: int | None = None
) -> int:
    """Perform the step of a claimed row, then the effects of the same candidate that are due.

    Return how many steps that were, at most `most`. None is begun after the deadline or a request to stop.
    """
    _step(row, organizations)
    count = 1
    while row.opportunity_id and count != most and _may_go_on(deadline):
        effect = Effect.claim_next(row.organization_id, row.opportunity_id, uuid.uuid4().hex)
        if effect is None:
            break
        _step(effect, organizations)
        count += 1
    return count


def perform_duties(deadline: float | None = None, yields_to: Event | None = None) -> int:
    """Perform due duties in this thread, the longest-waiting first; return how many.

    It ends when none is due, the deadline passes, a stop is requested or rows wait that it yields to.
    """
    count = 0
    while _may_go_on(deadline) and not (yields_to is not None and yields_to.is_set()):
        run = DutyRun.claim(uuid.uuid4().hex)
        if run is None:
            break
        perform_duty(run)
        count += 1
    return count


def _may_go_on(deadline: float | None) -> bool:
    return not stop_signal.is_requested() and (deadline is None or time.monotonic() <= deadline)


# claims


def claim_rows(most: int, turn: int) -> Iterator[Row]:
    """Claim at most `most` due rows and yield them; those of one kind before the next kind is asked.

    The kinds take turns in being asked first.
    """
    kinds: list[Callable[[int], Sequence[Row]]] = [_claim_deliveries, _claim_effects, _claim_polls]
    for number in range(len(kinds)):
        if most:
            rows = kinds[(turn + number) % len(kinds)](most)
            most -= len(rows)
            yield from rows


def _claim_deliveries(most: int) -> list[Delivery]:
    return Delivery.claim_batch(uuid.uuid4().hex, most)


def _claim_effects(most: int) -> list[Effect]:
    return Effect.claim_batch(uuid.uuid4().hex, most)


def _claim_polls(most: int) -> list[Invitation]:
    """Claim polls; without one that is due no transaction is begun, which on SQLite waits for the writers."""
    return claim_polls(most) if Invitation.objects.due_for_poll().exists() else []


# steps


def _step(row: Row, organizations: Organizations) -> None:
    match row:
        case Effect():
            perform_effect(row, organizations.recent(row.organization_id))
        case Delivery():  # by the policies and mappings of now
            decide(row, organizations.read(row.organization_id))
        case Invitation():
            poll_invitation(row, organizations.recent(row.organization_id))


def perform_effect(effect: Effect, organization: Organization | None = None) -> None:
    """Perform one claimed effect, for its organization as it is now unless it is given."""
    organization = effect.organization = organization or Organization.objects.reread(effect.organization_id)
    with correlation.use(effect.correlation_id), call_log.collected():
        context = CallContext(effect=effect)
        perform(effect, clients_for(organization, context))


def decide(delivery: Delivery, organization: Organization | None = None) -> None:
    """Bring one claimed delivery to its verdict, by its organization as it is now unless it is given."""
    organization = delivery.organization = organization or Organization.objects.reread(
        delivery.organization_id
    )
    with correlation.use(correlation.of_delivery(delivery.pk)), call_log.collected():
        context = CallContext(delivery=delivery)
        handle_delivery(delivery, clients_for(organization, context))


def poll_invitation(invitation: Invitation, organization: Organization | None = None) -> PollOutcome:
    """Poll one invitation, for its organization as it is now unless it is given."""
    organization = invitation.organization = organization or Organization.objects.reread(
        invitation.organization_id
    )
    with correlation.use(), call_log.collected():
        context = CallContext(opportunity_without_row=invitation.opportunity_id)
        return poll(invitation, clients_for(organization, context))
