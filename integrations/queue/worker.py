"""The worker: claim due rows and duties, and hand each to its step with the clients it needs."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from threading import Event

from integrations import correlation, stop_signal
from integrations.clients import call_log
from integrations.clients.context import CallContext
from integrations.clients.provider import clients_for
from integrations.models import Delivery, DutyRun, Effect, Invitation, Organization
from integrations.queue.duties import perform_duty
from integrations.workflow.effects.perform import perform
from integrations.workflow.inbox.handle_delivery import handle_delivery
from integrations.workflow.results.poll import PollOutcome, poll
from integrations.workflow.results.poll_schedule import claim_polls

type Row = Effect | Delivery | Invitation


def work(most: int | None = None) -> int:
    """Work due rows in this thread until none is left, `most` are worked or a stop is requested.

    Return how many were worked.
    """
    count = turn = 0
    while not stop_signal.is_requested() and count != most:
        row = next(claim_rows(1, turn), None)
        if row is None:
            break
        count += work_on(row, most=None if most is None else most - count)
        turn += 1
    return count


def work_on(row: Row, deadline: float | None = None, most: int | None = None) -> int:
    """Perform the step of a claimed row, then the effects of the same candidate that are due.

    Return how many steps that were, at most `most`. None is begun after the deadline or a request to stop.
    """
    _step(row)
    count = 1
    while row.opportunity_id and count != most and _may_go_on(deadline):
        effect = Effect.claim_next(row.organization_id, row.opportunity_id, uuid.uuid4().hex)
        if effect is None:
            break
        perform_effect(effect)
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


def _step(row: Row) -> None:
    match row:
        case Effect():
            perform_effect(row)
        case Delivery():
            decide(row)
        case Invitation():
            poll_invitation(row)


def perform_effect(effect: Effect) -> None:
    """Perform one claimed effect, for its organization as it is now."""
    organization = effect.organization = Organization.objects.reread(effect.organization_id)
    with correlation.use(effect.correlation_id), call_log.collected():
        context = CallContext(effect=effect)
        perform(effect, clients_for(organization, context))


def decide(delivery: Delivery) -> None:
    """Bring one claimed delivery to its verdict, by its organization as it is now."""
    organization = delivery.organization = Organization.objects.reread(delivery.organization_id)
    with correlation.use(correlation.of_delivery(delivery.pk)), call_log.collected():
        context = CallContext(delivery=delivery)
        handle_delivery(delivery, clients_for(organization, context))


def poll_invitation(invitation: Invitation) -> PollOutcome:
    """Poll one invitation, for its organization as it is now."""
    organization = invitation.organization = Organization.objects.reread(invitation.organization_id)
    with correlation.use(), call_log.collected():
        context = CallContext(opportunity_without_row=invitation.opportunity_id)
        return poll(invitation, clients_for(organization, context))
