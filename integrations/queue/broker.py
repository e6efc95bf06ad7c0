"""django-q2's queue on PostgreSQL without Redis: notifications. No row is written and no table is asked for tasks."""

import hashlib
import logging

from django.conf import settings
from django.db import close_old_connections, connection
from django_q.brokers import Broker

from integrations.http import stop_signal
from integrations.store.database import DATABASE_OUTAGE

logger = logging.getLogger(__name__)

#: How long one wait for a notification takes; TCP's keepalives find a connection that is gone.
WAIT_SECONDS = 1.0


class NotificationBroker(Broker):
    """Passes tasks on as notifications of the node's channel.

    One that nobody listens to is lost, and so are those that come together beyond one for each worker: a task has no
    arguments, and looks at all that is due.
    """

    #: The driver's connection that listens to the channel; another one, made after an outage, doesn't yet.
    _listening: object = None

    @property
    def channel(self) -> str:
        """The channel's name: of any node's, which may be longer, as short as PostgreSQL allows."""
        return f"portal_{hashlib.sha256(self.list_key.encode()).hexdigest()[:32]}"

    def enqueue(self, task: str) -> None:
        """Notify who listens at the moment. Raises OperationalError or InterfaceError when the database is away."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, %s)", [self.channel, task])
        except DATABASE_OUTAGE:
            close_old_connections()  # a process that only enqueues has nobody else to make another one for it
            raise

    def dequeue(self) -> list[tuple[None, str]]:
        """Return the tasks that have come, at most one for each worker; wait for one at most WAIT_SECONDS."""
        try:
            with connection.cursor() as cursor, connection.wrap_database_errors:
                if cursor.connection is not self._listening:
                    cursor.execute(f"LISTEN {self.channel}")
                    self._listening = cursor.connection
                tasks = [
                    one.payload for one in cursor.connection.notifies(timeout=WAIT_SECONDS, stop_after=1)
                ]
                if tasks:
                    tasks += [one.payload for one in cursor.connection.notifies(timeout=0)]
        except DATABASE_OUTAGE:
            logger.warning("the queue doesn't answer; the work goes on when it is back", exc_info=True)
            connection.close()
            stop_signal.wait(WAIT_SECONDS)
            return []
        return [(None, task) for task in tasks[-settings.Q_WORKERS :]]

    def queue_size(self) -> int:
        """Return 0: nobody knows how many notifications wait."""
        return 0

    def ping(self) -> bool:
        """Return True: whether the database answers, other parts of a probe ask."""
        return True
