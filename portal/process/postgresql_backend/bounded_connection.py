"""A connection to PostgreSQL on which nobody waits for longer than `portal.process.database_waits` allows."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from psycopg.abc import PQGen

from portal.process import database_waits

#: As DATABASE_URL may set it, for each of its hosts; database_settings.py has the portal's own.
DEFAULT_CONNECT_SECONDS = 5


def connect_seconds(parameters: Mapping[str, Any]) -> float:
    """Return how long connecting may take: the time-out for each host, and once more for the look-up of names."""
    hosts = str(parameters.get("host") or "").count(",") + 1
    return float(parameters.get("connect_timeout") or DEFAULT_CONNECT_SECONDS) * (hosts + 1)


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when an answer doesn't come in time: it could belong to the next statement."""

    #: Called when the server didn't answer in time.
    on_silence: Callable[[], None] = staticmethod(lambda: None)

    def wait[Answer](self, gen: PQGen[Answer], interval: float = 0.1, timeout: float | None = None) -> Answer:
        """Return the answer that the generator waits for. Raises OperationalError when time is over."""
        left = database_waits.seconds_left()
        if left is None:
            return super().wait(gen, interval, timeout)
        if left > 0:
            until = time.monotonic() + left
            try:
                return super().wait(gen, interval, left if timeout is None else min(left, timeout))
            except psycopg.OperationalError:
                if time.monotonic() < until:
                    raise
                self.on_silence()
        self.close()
        raise psycopg.OperationalError("the database didn't answer in time")
