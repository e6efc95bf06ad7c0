"""The worker: claim due rows and duties, and hand each to its step with the clients it needs."""

import time
import uuid
from collections.abc import Callable, Sequence
from math import ceil
from threading import Event

from integrations import correlation, stop_signal
from integrations.clients import call_log
from integrations.clients.context import CallContext
from integrations.clients.provider import clients_for
from integrations.models import Delivery, DutyRun, Effect, Invitation, Organization
from integrations.queue.due_work import DueWork
from integrations.queue.duties import perform_duty
from integrations.queue.organization_reads import OrganizationReads
from integrations.workflow.effects.perform import perform
from integrations.workflow.inbox.handle_delivery import handle_delivery
from integrations.workflow.results.poll import PollOutcome, poll
from integrations.workflow.results.poll_schedule import claim_polls

type Row = Effect | Delivery | Invitation

EVERYTHING = DueWork(effects=True, deliveries=True, polls=True, duties=True, next_at=None)


def work(most: int | None = None) -> int:
    """Work due rows in this thread until none is left, `most` are worked or a stop is requested.

    Return how many were worked.
    """
    count = turn = 0
    while not stop_signal.is_requested() and count != most:
        rows = claim_rows(1, turn, EVERYTHING)
        if not rows:
            break
        count += work_on(rows[0], OrganizationReads(), most=None if most is None else most - count)
        turn += 1
    return count


def work_on(
    row: Row, organizations: OrganizationReads, deadline: float | None = None, most: int | None = None
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


def claim_rows(most: int, turn: int, due: DueWork) -> list[Row]:
    """Claim at most `most` rows of the kinds that are due: as many effects as deliveries and polls.

    The kinds take turns in being the first, which gets what can't be divided.
    """
    kinds: list[Callable[[int], Sequence[Row]]] = []
    if due.effects:
        kinds.append(_claim_effects)
    if due.deliveries:
        kinds.append(_claim_deliveries)
    if due.polls:
        kinds.append(claim_polls)
    rows: list[Row] = []
    for number in range(len(kinds)):
        share = ceil((most - len(rows)) / (len(kinds) - number))
        if share:
            rows += kinds[(turn + number) % len(kinds)](share)
    return rows


def claim_delivery() -> Delivery | None:
    """Claim the delivery that has been due longest, None when none is: in one statement, while nothing else waits."""
    return Delivery.claim_first(uuid.uuid4().hex)


def _claim_effects(most: int) -> list[Effect]:
    return Effect.claim_batch(uuid.uuid4().hex, most)


def _claim_deliveries(most: int) -> list[Delivery]:
    return Delivery.claim_batch(uuid.uuid4().hex, most)


# steps


def _step(row: Row, organizations: OrganizationReads) -> None:
    match row:
        case Effect():
            perform_effect(row, organizations.get(row.organization_id))
        case Delivery():
            decide(row, organizations.read(row.organization_id))
        case Invitation():
            poll_invitation(row, organizations.get(row.organization_id))


def perform_effect(effect: Effect, organization: Organization | None = None) -> None:
    """Perform one claimed effect; its organization is read now unless it was read a moment ago."""
    organization = effect.organization = organization or Organization.objects.reread(effect.organization_id)
    with correlation.use(effect.correlation_id), call_log.collected():
        context = CallContext(effect=effect)
        perform(effect, clients_for(organization, context))


def decide(delivery: Delivery, organization: Organization | None = None) -> None:
    """Bring one claimed delivery to its verdict; its organization is read now unless it was read for this step.

    A verdict by what was read a moment ago would stay, although a person has just changed what it says is missing.
    """
    organization = delivery.organization = organization or Organization.objects.reread(
        delivery.organization_id
    )
    with correlation.use(correlation.of_delivery(delivery.pk)), call_log.collected():
        context = CallContext(delivery=delivery)
        handle_delivery(delivery, clients_for(organization, context))


def poll_invitation(invitation: Invitation, organization: Organization | None = None) -> PollOutcome:
    """Poll one invitation; its organization is read now unless it was read a moment ago."""
    organization = invitation.organization = organization or Organization.objects.reread(
        invitation.organization_id
    )
    with correlation.use(), call_log.collected():
        context = CallContext(opportunity_without_row=invitation.opportunity_id)
        return poll(invitation, clients_for(organization, context))
