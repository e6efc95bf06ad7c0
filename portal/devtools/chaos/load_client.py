"""Knock at the doors over kept-alive connections, and note how each attempt was answered."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from portal.devtools.chaos.attack_sender import Attempt

ANSWER_SECONDS = 30.0
TRIES = 2  # a server may close a connection that was kept alive just when it is used again


@dataclass
class Answers:
    """What the clients were told, how soon, and what they should never have been told."""

    seconds: dict[int, list[float]] = field(default_factory=dict)  # by status; 0 is a broken connection
    kinds: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    count: int = 0

    def note(self, attempt: Attempt, status: int, seconds: float) -> None:
        """Add one answer."""
        self.count += 1
        self.kinds[attempt.kind] += 1
        self.seconds.setdefault(status, []).append(seconds)
        if status not in attempt.expected:
            self.wrong[f"{attempt.kind}: {status or 'broken connection'}"] += 1

    def percentile(self, status: int, share: float) -> float:
        """Return the milliseconds within which a share of the answers with a status came."""
        ordered = sorted(self.seconds[status])
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    def add(self, other: "Answers") -> None:
        """Take another client's answers in."""
        self.count += other.count
        self.kinds += other.kinds
        self.wrong += other.wrong
        for status, seconds in other.seconds.items():
            self.seconds.setdefault(status, []).extend(seconds)


class Knocker:
    """One kept-alive connection."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=ANSWER_SECONDS)
        self.answers = Answers()

    def knock(self, attempt: Attempt) -> tuple[int, float]:
        """Return the status, 0 where the connection broke, and the seconds until the whole answer was read."""
        status, seconds = 0, 0.0
        for _ in range(TRIES):
            began = time.perf_counter()
            try:
                self._connection.request("POST", attempt.path, attempt.body, attempt.headers)
                answer = self._connection.getresponse()
                answer.read()
                status = answer.status
            except (http.client.HTTPException, OSError):
                self._connection.close()
            seconds = time.perf_counter() - began
            if status:
                break
        self.answers.note(attempt, status, seconds)
        return status, seconds

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class Client(threading.Thread):
    """Somebody who knocks so many times, as fast as he is answered."""

    def __init__(self, url: str, attempt: Callable[[], Attempt], count: int) -> None:
        super().__init__(name="client", daemon=True)
        self._knocker = Knocker(url)
        self._attempt = attempt
        self._count = count

    @property
    def answers(self) -> Answers:
        """What this client was told."""
        return self._knocker.answers

    def run(self) -> None:
        """Knock until the count is reached."""
        for _ in range(self._count):
            self._knocker.knock(self._attempt())
        self._knocker.close()
