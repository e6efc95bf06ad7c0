"""Brokers for django-q2 whose queue may be lost or unreachable at any time: all work is in the database.

When the queue can't be read, django-q2 stops fetching for ten seconds; these brokers return a drain instead, as a task
that isn't from the queue. They do so too when the queue has been empty for a second, so that each worker of this node
begins a drain when its last one has ended.
"""

import logging
import time
from functools import cached_property

import redis
from django.db import connections
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis
from django_q.conf import Conf
from django_q.humanhash import uuid
from django_q.signing import SignedPackage

from integrations.models.db_retry import DATABASE_OUTAGE
from integrations.queue import task_names
from integrations.queue.liveness import QUIET_AFTER

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 3.0  # longer than the second for which Redis blocks on an empty queue
LOCAL_WAKE_UP_SECONDS = 1.0

Tasks = list[tuple[object, str]]


class IdleWakeUp:
    """When the cluster that this broker fetches tasks for is woken without a task of the queue."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def or_tasks(self, tasks: Tasks | None) -> Tasks | None:
        """Return the tasks; a local wake-up when there have been none for QUIET_AFTER."""
        now = time.monotonic()
        if not tasks:
            if now < self._next_at:
                return None
            tasks = [(None, wake_up_task())]
        self._next_at = now + QUIET_AFTER.total_seconds()
        return tasks


class RedisBroker(Redis):
    """The queue on Redis."""

    @cached_property
    def _idle(self) -> IdleWakeUp:
        return IdleWakeUp()

    @staticmethod
    def get_connection(list_key: str | None = None) -> redis.Redis:
        """Return a connection with short time-outs: web requests notify workers and must not wait for a dead host."""
        return redis.Redis.from_url(
            Conf.REDIS, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS
        )

    def dequeue(self) -> Tasks | None:
        """Return the next task, or a local wake-up when Redis is unreachable or has none."""
        try:
            tasks: Tasks | None = super().dequeue()
        except redis.RedisError:
            return wake_up_locally("Redis")
        return self._idle.or_tasks(tasks)

    def ping(self) -> bool:
        """Whether Redis answers; a cluster starts even if it doesn't."""
        try:
            return bool(self.connection.ping())
        except redis.RedisError:
            return False

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Store django-q2's statistics of the cluster; a failure is ignored, since nothing depends on them."""
        try:
            super().set_stat(key, value, timeout)
        except redis.RedisError:
            logger.debug("Redis is unreachable: the cluster's state isn't kept")


class DatabaseBroker(ORM):
    """The queue in the database."""

    @cached_property
    def _idle(self) -> IdleWakeUp:
        return IdleWakeUp()

    def dequeue(self) -> Tasks | None:
        """Return the next task, or a local wake-up when the database is unreachable or has none."""
        try:
            tasks: Tasks | None = super().dequeue()
        except DATABASE_OUTAGE:
            connections.close_all()
            return wake_up_locally("The database")
        return self._idle.or_tasks(tasks)


def wake_up_locally(what: str) -> Tasks:
    """Wait a second and return a wake-up that isn't from the queue; `what` is unreachable."""
    logger.warning("%s is unreachable: the workers look for due rows without it", what)
    time.sleep(LOCAL_WAKE_UP_SECONDS)
    return [(None, wake_up_task())]


def wake_up_task() -> str:
    """Return a task that works due rows, serialized as in the queue."""
    name, task_id = uuid()
    task = {
        "id": task_id,
        "name": name,
        "func": task_names.DRAIN,
        "args": (),
        "kwargs": {},
        "started": timezone.now(),
    }
    return str(SignedPackage.dumps(task))
