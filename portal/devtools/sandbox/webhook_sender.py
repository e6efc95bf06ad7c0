"""The webhook sender both platforms use: a few threads, a heap of due attempts, retries at growing delays."""

import heapq
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Condition, Thread

import requests

from portal.devtools.sandbox.values import JsonObject, new_id, now_ms

type Prepare = Callable[[], tuple[dict[str, str], bytes]]


@dataclass(slots=True)
class Attempt:
    """One request of a delivery and what came back."""

    at: int
    duration_ms: int
    status: int | None = None
    error: str = ""
    retry_after: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver accepted it with a 2xx, as both platforms define success."""
        return self.status is not None and 200 <= self.status < 300

    def describe(self) -> JsonObject:
        """Return the attempt as the ledger shows it."""
        return {"at": self.at, "status": self.status, "error": self.error, "duration_ms": self.duration_ms}


class DeliveryState(StrEnum):
    """What became of a delivery so far."""

    DUE = "due"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(slots=True)
class Delivery:
    """One webhook to send: what is sent, where to, and every attempt so far."""

    event: str
    subject: str
    url: str
    prepare: Prepare
    webhook: str = ""
    id: str = field(default_factory=new_id)
    created_at: int = field(default_factory=now_ms)
    attempts: list[Attempt] = field(default_factory=list)
    state: DeliveryState = DeliveryState.DUE
    follow_up: Callable[["Delivery"], None] | None = None

    @property
    def last_status(self) -> int | None:
        """The status of the latest attempt, or None."""
        return self.attempts[-1].status if self.attempts else None

    def describe(self) -> JsonObject:
        """Return the delivery as the ledger shows it."""
        return {
            "id": self.id,
            "event": self.event,
            "subject": self.subject,
            "url": self.url,
            "webhook": self.webhook,
            "created_at": self.created_at,
            "state": self.state,
            "attempts": [attempt.describe() for attempt in self.attempts],
        }


class WebhookSender:
    """Sends deliveries from threads of its own, without any account's lock."""

    def __init__(self, user_agent: str, *, timeout: float, obeys_answers: bool, workers: int = 8) -> None:
        self.timeout = timeout
        #: Whether deliveries are made by the thread that sends them, before it goes on, and not tried again.
        self.sends_at_once = False
        self._user_agent = user_agent
        self._obeys_answers = obeys_answers  # whether Retry-After delays and 410 ends the attempts
        self._workers = workers
        self._heap: list[tuple[float, int, Delivery, Sequence[float]]] = []
        self._order = itertools.count()
        self._wake = Condition()
        self._stopped = False
        self._started = False
        self._busy = 0

    def send(self, delivery: Delivery, *, retry_delays: Sequence[float], after: float = 0.0) -> None:
        """Queue a delivery, to be tried `after` seconds from now and again at each of the delays."""
        if self.sends_at_once:
            self._record(delivery, self.attempt(delivery), ())
            return
        with self._wake:
            if not self._started:
                self._start()
            entry = (time.monotonic() + after, next(self._order), delivery, retry_delays)
            heapq.heappush(self._heap, entry)
            self._wake.notify()

    def attempt(self, delivery: Delivery, session: requests.Session | None = None) -> Attempt:
        """Make one attempt right now and return it; the delivery's state isn't changed."""
        headers, body = delivery.prepare()
        headers = {"Content-Type": "application/json", "User-Agent": self._user_agent, **headers}
        at, begun = now_ms(), time.monotonic()
        status, error, retry_after = None, "", None
        try:
            answer = (session or _session()).post(
                delivery.url, data=body, headers=headers, timeout=self.timeout, allow_redirects=False
            )
            status = answer.status_code
            retry_after = _seconds(answer.headers.get("Retry-After", ""))
        except requests.RequestException as caught:
            error = type(caught).__name__
        return Attempt(at, int((time.monotonic() - begun) * 1000), status, error, retry_after)

    def pending(self) -> int:
        """Return how many deliveries are waiting for an attempt or being attempted."""
        with self._wake:
            return len(self._heap) + self._busy

    def stop(self) -> None:
        """Send nothing more."""
        with self._wake:
            self._stopped = True
            self._heap.clear()
            self._wake.notify_all()

    def _start(self) -> None:
        self._started = True
        for _ in range(self._workers):
            Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        session = _session()
        while True:
            due = self._next_due()
            if due is None:
                return
            delivery, retry_delays = due
            try:
                attempt = self.attempt(delivery, session)
                self._record(delivery, attempt, retry_delays)
            finally:
                with self._wake:
                    self._busy -= 1

    def _next_due(self) -> tuple[Delivery, Sequence[float]] | None:
        with self._wake:
            while not self._stopped:
                now = time.monotonic()
                if self._heap and self._heap[0][0] <= now:
                    _, _, delivery, retry_delays = heapq.heappop(self._heap)
                    self._busy += 1
                    return delivery, retry_delays
                self._wake.wait(self._heap[0][0] - now if self._heap else None)
            return None

    def _record(self, delivery: Delivery, attempt: Attempt, retry_delays: Sequence[float]) -> None:
        delivery.attempts.append(attempt)
        if attempt.succeeded:
            delivery.state = DeliveryState.DELIVERED
        elif not retry_delays or (self._obeys_answers and attempt.status == 410):
            delivery.state = DeliveryState.FAILED
        else:
            retry_after = attempt.retry_after or 0.0 if self._obeys_answers else 0.0
            self.send(delivery, retry_delays=retry_delays[1:], after=max(retry_delays[0], retry_after))
        if delivery.follow_up is not None:
            delivery.follow_up(delivery)


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy from the environment: everything is on the loopback
    return session


def _seconds(value: str) -> float | None:
    try:
        return min(float(value), 3600.0)
    except ValueError:
        return None
