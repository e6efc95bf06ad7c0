"""Checks that a connection still works only when it has rested: else each request would wait for one more answer.

Between two uses within REST_SECONDS a connection ends only because the database did, less than that ago: such a
request is answered 503 like those of a moment before, and its sender tries again.
"""

import time
from typing import Any

from django.db.backends.postgresql import base

from portal.process import statement_plans

REST_SECONDS = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that remembers when it was last found in use, and whose statements are planned as is asked for."""

    _used_at = 0.0

    def init_connection_state(self) -> None:
        """Turn off the compiling of statements: for those that read many rows it took longer than running them."""
        super().init_connection_state()
        with self.cursor() as cursor:
            cursor.execute("SET jit = off")

    def create_cursor(self, name: str | None = None) -> Any:
        """Return a cursor whose statements are prepared once they ran often, or never while they are planned anew."""
        threshold = self.settings_dict["OPTIONS"].get("prepare_threshold")
        self.connection.prepare_threshold = None if statement_plans.are_for_their_values() else threshold
        return super().create_cursor(name)

    def close_if_health_check_failed(self) -> None:
        """Close a connection that rested and doesn't work any more; called before the first query of a request."""
        now = time.monotonic()
        has_rested = now - self._used_at >= REST_SECONDS
        self._used_at = now
        if has_rested:
            super().close_if_health_check_failed()
        else:
            # not later in this request either: a check within a failed transaction would close the connection
            self.health_check_done = True
