"""The webhook sender both platforms use: a few attempts at a time, retries at growing delays."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from threading import BoundedSemaphore, Lock, Timer

import requests

from portal.devtools.sandbox.values import JsonObject, now_ms

type Prepare = Callable[[], tuple[dict[str, str], bytes]]


@dataclass(slots=True)
class Attempt:
    """One request of a delivery and what came back."""

    at: int
    duration_ms: int
    status: int | None = None
    error: str = ""
    retry_after: float = 0.0

    @property
    def succeeded(self) -> bool:
        """Whether the receiver accepted it with a 2xx, as both platforms define success."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True)
class Delivery:
    """One webhook to send: its subject, where to, what is sent, and every attempt so far."""

    subject: str
    url: str
    prepare: Prepare
    attempts: list[Attempt] = field(default_factory=list)
    #: What a 410 leads to, where the sender obeys answers.
    on_gone: Callable[[], None] | None = None

    @property
    def state(self) -> str:
        """Whether it has arrived."""
        return "delivered" if self.attempts and self.attempts[-1].succeeded else "open"

    def describe(self) -> JsonObject:
        """Return the delivery as the ledger shows it."""
        return {
            "subject": self.subject,
            "state": self.state,
            "attempts": list(map(asdict, self.attempts)),
        }


class WebhookSender:
    """Sends deliveries in threads of their own, a few at a time and without any account's lock."""

    #: Whether deliveries are made by the thread that sends them, before it goes on, and not tried again.
    sends_at_once = False

    def __init__(self, user_agent: str, *, timeout: float, obeys_answers: bool, workers: int = 8) -> None:
        self.timeout = timeout
        self._user_agent = user_agent
        self._obeys_answers = obeys_answers  # whether Retry-After delays and 410 ends the attempts
        self._turns = BoundedSemaphore(workers)
        self._lock = Lock()
        self._is_stopped = False
        self._waiting: set[Timer] = set()  # or being attempted
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy from the environment: everything is on the loopback

    def send(self, delivery: Delivery, *, retry_delays: Sequence[float], after: float = 0.0) -> None:
        """Queue a delivery, to be tried `after` seconds from now and again at each of the delays."""
        if self.sends_at_once:
            self._record(delivery, self.attempt(delivery), ())
            return

        def work() -> None:
            try:
                with self._turns:
                    attempt = self.attempt(delivery)
                self._record(delivery, attempt, retry_delays)
            finally:
                with self._lock:
                    self._waiting.discard(timer)

        timer = Timer(after, work)
        timer.daemon = True
        with self._lock:
            if self._is_stopped:
                return
            self._waiting.add(timer)
        timer.start()

    def attempt(self, delivery: Delivery) -> Attempt:
        """Make one attempt right now and return it; the delivery's state isn't changed."""
        headers, body = delivery.prepare()
        headers = {"Content-Type": "application/json", "User-Agent": self._user_agent, **headers}
        at, begun = now_ms(), time.monotonic()
        status, error, retry_after = None, "", 0.0
        try:
            answer = self._session.post(
                delivery.url, data=body, headers=headers, timeout=self.timeout, allow_redirects=False
            )
            status = answer.status_code
            retry_after = _seconds(answer.headers.get("Retry-After", ""))
        except requests.RequestException as caught:
            error = type(caught).__name__
        return Attempt(at, int((time.monotonic() - begun) * 1000), status, error, retry_after)

    def pending(self) -> int:
        """Return how many deliveries are waiting for an attempt or being attempted."""
        with self._lock:
            return len(self._waiting)

    def stop(self) -> None:
        """Try no delivery that still waits."""
        with self._lock:
            self._is_stopped = True
            for timer in self._waiting:
                timer.cancel()

    def _record(self, delivery: Delivery, attempt: Attempt, retry_delays: Sequence[float]) -> None:
        delivery.attempts.append(attempt)
        if attempt.succeeded:
            return
        if self._obeys_answers and attempt.status == 410:
            if delivery.on_gone is not None:
                delivery.on_gone()
        elif retry_delays:
            after = max(retry_delays[0], attempt.retry_after if self._obeys_answers else 0.0)
            self.send(delivery, retry_delays=retry_delays[1:], after=after)


def _seconds(value: str) -> float:
    try:
        return min(float(value), 3600.0)
    except ValueError:
        return 0.0
