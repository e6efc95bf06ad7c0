"""Django's PostgreSQL backend with bounds on how long a connection takes."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg import IsolationLevel
from psycopg.abc import PQGen

from portal.process import database_waits
from portal.process.database_waits import ConnectionGate

# A connection to PostgreSQL on which nobody waits for longer than `portal.process.database_waits` allows.


#: As DATABASE_URL may set it, for each of its hosts; database_settings.py has the portal's own.
DEFAULT_CONNECT_SECONDS = 5


def connect_seconds(parameters: Mapping[str, Any]) -> float:
    """Return how long connecting may take: the time-out for each host, and once more for the look-up of names."""
    hosts = str(parameters.get("host") or "").count(",") + 1
    return float(parameters.get("connect_timeout") or DEFAULT_CONNECT_SECONDS) * (hosts + 1)


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when an answer is late: the next statement could get that instead of its own."""

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


# Connections to PostgreSQL whose waiting has an end, with the isolation level that the portal is written for.
#
# That a connection still works is checked only when it has rested: else each request would wait for one more answer.
# Between two uses within REST_SECONDS a connection ends only because the database did, less than that ago: such a
# request is answered 503 like those of a moment before, and its sender tries again.


REST_SECONDS = 1.0
#: How long a connection has to answer that it works; after that a new one is quicker.
CHECK_SECONDS = 2.0
#: Each statement sees what is committed when it begins: a decision that waited for a lock reads the newest rows.
ISOLATION_LEVEL = IsolationLevel.READ_COMMITTED
#: `jit` is off: compiling a statement that reads many rows took longer than running it. A single statement is a
#: transaction too, of the session's own level.
SESSION = "SELECT set_config('jit', 'off', false), set_config('default_transaction_isolation', 'read committed', false)"

#: By the parameters of the connection: the way to each database.
_gates: defaultdict[str, ConnectionGate[BoundedConnection]] = defaultdict(ConnectionGate)
# a child process has none of its parent's threads, which may be trying to connect
os.register_at_fork(after_in_child=_gates.clear)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that remembers when it was last found in use."""

    _used_at = 0.0

    def get_new_connection(self, conn_params: dict[str, Any]) -> BoundedConnection:
        """Return a new connection. Raises OperationalError when there is none in time."""
        address = {name: conn_params.get(name) for name in ("host", "port", "user", "dbname")}
        gate = _gates[str(address)]
        seconds, left = connect_seconds(conn_params), database_waits.seconds_left()
        try:
            connection = gate.connect(
                partial(BoundedConnection.connect, **conn_params),
                seconds if left is None else min(seconds, left),
            )
        except database_waits.Unreachable as error:
            raise self.Database.OperationalError(f"the database can't be reached: {error}") from None
        connection.on_silence = partial(gate.note_failure, "it didn't answer in time")
        connection.isolation_level = self.isolation_level = ISOLATION_LEVEL
        return connection

    def init_connection_state(self) -> None:
        """Set what the portal relies on, whatever the server, the role or the environment say."""
        super().init_connection_state()
        with self.cursor() as cursor:
            cursor.execute(SESSION)

    def is_usable(self) -> bool:
        """Whether the server answers on this connection, soon."""
        with database_waits.at_most(CHECK_SECONDS):
            return bool(super().is_usable())

    def close_if_health_check_failed(self) -> None:
        """Close a connection that rested and doesn't work any more; Django calls this before each query."""
        now = time.monotonic()
        has_rested = now - self._used_at >= REST_SECONDS
        self._used_at = now
        if has_rested:
            super().close_if_health_check_failed()
        else:
            # not later in this request either: a check within a failed transaction would close the connection
            self.health_check_done = True
