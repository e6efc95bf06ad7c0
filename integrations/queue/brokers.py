"""The broker by which django-q2's workers get what they do. It makes each task itself and reads none that is stored.

django-q2 calls whatever function a stored task or schedule names, so somebody who could write to the queue's tables or
Redis could run programs on the workers. Work is in the portal's own rows, and there are two tasks: a drain works the
rows that are due, and the portal's duties are done by the clock.
"""

import time
from typing import Never

import redis
from django.conf import settings
from django.utils import timezone
from django_q.brokers import Broker
from django_q.humanhash import uuid
from django_q.signing import SignedPackage

from integrations.queue import task_names
from integrations.queue.liveness import QUIET_AFTER

#: How often a worker of this node looks whether a duty of the whole portal is due.
CLOCK_SECONDS = 30.0
#: The longest pause in `dequeue`: django-q2 ends its process between two calls.
PAUSE_SECONDS = 0.5


class WakeUpBroker(Broker):
    """Wakes the workers of this node each second, so that each begins a drain when its last one has ended."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self._drain_at = self._clock_at = 0.0

    def dequeue(self) -> list[tuple[None, str]] | None:
        """Return the tasks that are due now; None, after a pause, when there are none."""
        now = time.monotonic()
        names = []
        if now >= self._drain_at:
            self._drain_at = now + QUIET_AFTER.total_seconds()
            names.append(task_names.DRAIN)
        if now >= self._clock_at:
            self._clock_at = now + CLOCK_SECONDS
            names.append(task_names.PERFORM_PORTAL_DUTIES)
        if not names:
            time.sleep(PAUSE_SECONDS)
            return None
        return [(None, task(name)) for name in names]

    def enqueue(self, task: object) -> Never:
        """Raise TypeError: a stored task would be read by nobody."""
        raise TypeError("The portal stores no tasks: write a row and call integrations.queue.notify.")

    def ping(self) -> bool:
        """Whether Redis answers, where the nodes share one."""
        if not settings.REDIS_URL:
            return True
        try:
            with redis.Redis.from_url(settings.REDIS_URL, **settings.REDIS_OPTIONS) as server:
                return bool(server.ping())
        except redis.RedisError:
            return False

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Keep nothing of django-q2's statistics: heartbeats and rows say more, and statistics are pickles."""


def task(name: str) -> str:
    """Return a task that calls the function of that name, as django-q2 hands tasks over within this process."""
    title, task_id = uuid()
    return str(
        SignedPackage.dumps(
            {
                "id": task_id,
                "name": title,
                "func": name,
                "args": (),
                "kwargs": {},
                "started": timezone.now(),
            }
        )
    )
