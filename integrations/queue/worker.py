"""The worker: claim due rows and duties, and hand each to its step with the clients it needs."""

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import cache, partial
from threading import Event, local

from django.conf import settings
from django.db import close_old_connections, connection
from django.db.models import Exists
from django.db.models.functions import Now

from integrations.clients import call_log
from integrations.clients.hooks import CallContext
from integrations.clients.limits import calls_only_until
from integrations.clients.provider import ClientProvider
from integrations.core import correlation
from integrations.http import stop_signal
from integrations.inbox.decide_delivery import handle_delivery
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.link_emails import answer_requests
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import perform
from integrations.queue import progress
from integrations.queue.duties import perform_duty, perform_portal_duties
from integrations.queue.models.duty_run import DutyRun
from integrations.queue.models.nodes import Heartbeat, PortalDuty
from integrations.queue.notify import ENQUEUE_EVERY_SECONDS, enqueue_work
from integrations.results.poll import PollOutcome, poll
from integrations.results.schedule import claim_polls
from integrations.store.database import DATABASE_OUTAGE, trouble
from integrations.store.leasing import masked_traceback

type Row = Effect | Delivery | Invitation

READ_AGAIN_SECONDS = 1.0


class Organizations(local):
    """The organizations that the steps of one run read. Each thread has its own: a step may change what it holds."""

    def __init__(self) -> None:
        self._read: dict[int, tuple[float, Organization]] = {}

    def read(self, pk: int) -> Organization:
        self._read[pk] = time.monotonic(), Organization.objects.reread(pk)
        return self._read[pk][1]

    def recent(self, pk: int) -> Organization:
        """Return the organization as it was READ_AGAIN_SECONDS ago at most.

        One that holds its work up is read anew: a row is due again because that has ended.
        """
        at, organization = self._read.get(pk, (0.0, None))
        is_old = time.monotonic() - at > READ_AGAIN_SECONDS
        if organization is None or is_old or organization.pause or organization.disconnected_reason:
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


def is_idle() -> bool:
    """Whether neither a row nor a duty is due: in one statement what claims ask in five, several times a second."""
    due = (
        Delivery.objects.free(),
        Effect.objects.free(),
        Invitation.objects.due_for_poll(),
        DutyRun.objects.free(),
    )
    nothing_due = PortalDuty.objects.filter(*(~Exists(rows) for rows in due), due_at__gt=Now())
    return nothing_due.count() == len(PortalDuty.Name)


def claim_rows(most: int, turn: int) -> Iterator[Row]:
    """Claim at most `most` due rows and yield them; those of one kind before the next kind is asked.

    The kinds take turns in being asked first.
    """
    kinds: list[Callable[[int], Sequence[Row]]] = [
        partial(Delivery.claim_batch, uuid.uuid4().hex),
        partial(Effect.claim_batch, uuid.uuid4().hex),
        _claim_polls,
    ]
    for number in range(len(kinds)):
        if most:
            rows = kinds[(turn + number) % len(kinds)](most)
            most -= len(rows)
            yield from rows


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
        perform(effect, ClientProvider(organization, context))


def decide(delivery: Delivery, organization: Organization | None = None) -> None:
    """Bring one claimed delivery to its verdict, by its organization as it is now unless it is given."""
    organization = delivery.organization = organization or Organization.objects.reread(
        delivery.organization_id
    )
    with correlation.use(correlation.of_delivery(delivery.pk)), call_log.collected():
        context = CallContext(delivery=delivery)
        handle_delivery(delivery, ClientProvider(organization, context))


def poll_invitation(invitation: Invitation, organization: Organization | None = None) -> PollOutcome:
    """Poll one invitation, for its organization as it is now unless it is given."""
    organization = invitation.organization = organization or Organization.objects.reread(
        invitation.organization_id
    )
    with correlation.use(), call_log.collected():
        context = CallContext(opportunity_without_row=invitation.opportunity_id)
        return poll(invitation, ClientProvider(organization, context))


# The task that django-q2's workers run: it performs the rows and duties that are due, in threads, and ends in seconds.
#
# A step waits for platforms most of its time, so that a process which performs one at a time would stand still. One
# thread claims for all others, as many rows at once as they can begin: no row is held that isn't being worked.


logger = logging.getLogger(__name__)

#: A task begins rows and duties for so long; then it has another one enqueued.
WORK_SECONDS = 5.0
#: It goes on for so long while it finds nothing: for what came after the process that enqueued it did so.
QUIET_SECONDS = ENQUEUE_EVERY_SECONDS * 1.5
#: While a duty or step that it began goes on for longer, rows are begun beside it for so long: else one worker would
#: keep them waiting. Both end before; one that doesn't must not end with calls whose outcome nobody knows.
BESIDE_DUTIES_SECONDS = 120.0
#: Between two looks for due rows. One comes sooner once half of the threads for rows are idle: a claim for each thread
#: that becomes idle took a quarter of a worker's time.
LOOK_SECONDS = 0.05
BEAT_SECONDS = 1.0
#: The heartbeat's row is written less often: each write of an idle portal is shipped to an archive of its log.
ROW_SECONDS = 10.0
#: A row's step may begin calls for this long. They end well before django-q2 kills a worker for taking too long, which
#: would leave a call's outcome unknown.
CALLS_SECONDS = 60.0
#: For so long the effects of a row's candidate are taken up one after another.
CANDIDATE_SECONDS = 5.0

#: When this process is to show again that it makes progress, and to write it, by the monotonic clock.
_beat_at = _row_at = 0.0


@cache
def threads() -> ThreadPoolExecutor:
    """Return this process's threads. They keep their connections to the database from one task to the next."""
    return ThreadPoolExecutor(settings.STEP_THREADS + settings.DUTY_THREADS, "step")


def work_in_threads(seconds: float = WORK_SECONDS) -> None:
    """Perform what is due until nothing is, or the time is over, or a stop is requested.

    What was begun has ended when this returns. Any number may run at once, one in each process.
    """
    task = _Work(seconds)
    try:
        task.run()
    except DATABASE_OUTAGE as error:
        logger.warning("a task ended: %s", trouble(error), exc_info=True)
        connection.close()
    finally:
        task.end()


class _Work:
    """What one task has begun: the steps of rows, and duties."""

    def __init__(self, seconds: float) -> None:
        self._began = time.monotonic()
        self._ends_at = self._began + seconds
        self._quiet_at = self._began + QUIET_SECONDS
        self._duties_at = self._began
        self._rows: set[Future[None]] = set()
        #: Those of the rows that were begun after the task's time: it doesn't go on for them.
        self._late_rows: set[Future[None]] = set()
        self._duties: set[Future[None]] = set()
        #: Set while all threads for rows are busy: then one thread performs duties.
        self._rows_wait = Event()
        self._turn = 0
        self._look_at = self._began
        self._organizations = Organizations()

    def run(self) -> None:
        """Begin what is due, as threads become free."""
        has_found = False
        while not stop_signal.is_requested():
            _beat()
            now = time.monotonic()
            if now >= self._ends_at and not self._duties and self._rows <= self._late_rows:
                enqueue_work()
                return
            if not self._rows and not self._duties and is_idle():
                if now >= self._quiet_at:
                    return
                stop_signal.wait(LOOK_SECONDS if has_found else self._quiet_at - now)
                continue
            has_found = True
            has_begun = now < self._began + BESIDE_DUTIES_SECONDS and self._begin_rows(now)
            if self._duties_at <= now < self._ends_at:
                self._duties_at = now + BEAT_SECONDS
                self._begin_duties()
            if self._rows or self._duties:
                is_full = len(self._rows) == settings.STEP_THREADS
                self._wait(BEAT_SECONDS if is_full else LOOK_SECONDS)
            elif not has_begun and now >= self._quiet_at:
                return
            else:
                stop_signal.wait(LOOK_SECONDS)

    def end(self) -> None:
        """Wait until what was begun has ended."""
        while self._rows or self._duties:
            self._wait(BEAT_SECONDS)
            with suppress(*DATABASE_OUTAGE):  # the threads must be waited for all the same
                _beat()

    def _wait(self, seconds: float) -> None:
        """Wait until a step or duty ends, at most for so long."""
        ended = wait(self._rows | self._duties, seconds, return_when=FIRST_COMPLETED).done
        if ended & self._duties:
            self._duties_at = 0.0  # another may have waited for this one's thread
        self._rows -= ended
        self._late_rows -= ended
        self._duties -= ended

    def _begin_rows(self, now: float) -> bool:
        """Begin due rows, as many as there are idle threads for them; return whether there was any."""
        idle, begun = settings.STEP_THREADS - len(self._rows), 0
        if idle * 2 < settings.STEP_THREADS and now < self._look_at:
            return False
        self._look_at = now + LOOK_SECONDS
        if idle:
            for row in claim_rows(idle, self._turn):
                step = threads().submit(_run, partial(_work_within_bounds, row, self._organizations))
                self._rows.add(step)
                if now >= self._ends_at:
                    self._late_rows.add(step)
                begun += 1
            self._turn += 1
        if begun == idle:
            self._rows_wait.set()
        else:
            self._rows_wait.clear()
        return begun > 0

    def _begin_duties(self) -> None:
        """Begin due duties, in one thread alone while rows wait."""
        free = (1 if self._rows_wait.is_set() else settings.DUTY_THREADS) - len(self._duties)
        if free <= 0:
            return
        steps: list[Callable[[], object]] = [perform_portal_duties] if PortalDuty.is_one_due() else []
        for number in range(DutyRun.objects.due()[:free].count()):
            yields_to = self._rows_wait if self._duties or number else None
            steps.append(partial(perform_duties, self._ends_at, yields_to))
        self._duties |= {threads().submit(_run, step) for step in steps[:free]}


def _beat() -> None:
    """Show that this process makes progress, and answer who has forgotten a password; at most each BEAT_SECONDS."""
    global _beat_at, _row_at  # noqa: PLW0603
    if (now := time.monotonic()) < _beat_at:
        return
    _beat_at = now + BEAT_SECONDS
    progress.note()  # first: a database that is away is no reason to replace the workers
    if now >= _row_at:
        Heartbeat.beat()
        _row_at = now + ROW_SECONDS
    answer_requests()


def _work_within_bounds(row: Row, organizations: Organizations) -> None:
    now = time.monotonic()
    with calls_only_until(now + CALLS_SECONDS):
        work_on(row, organizations, now + CANDIDATE_SECONDS)


def _run(step: Callable[[], object]) -> None:
    """Perform a step in a kept thread; raises nothing."""
    try:
        close_old_connections()  # whether one that was kept still works is asked with its next use
        step()
    except DATABASE_OUTAGE as error:
        logger.warning("%s; the leases of a step will expire", trouble(error), exc_info=True)
        connection.close()
    except Exception as error:  # noqa: BLE001 - a bug in one step stops no other
        logger.error("a step failed; its lease will expire\n%s", masked_traceback(error))
