"""Waits for SQLite's write lock with short, even pauses.

SQLite's own backoff grows to 100 ms between tries and so starves the longest waiter: beside steady writers, a web
request waited for seconds. A statement that finds the database busy has changed nothing, so it may be retried.
"""

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.sqlite3 import base

from portal.process.sqlite_backend.private_files import make_private

BUSY_TIMEOUT_MS = 5  # within it SQLite tries after 1, 2 and 2 ms


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that waits for a lock as long as the `timeout` of OPTIONS, by retrying often."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        """Return a connection to a file for its owner alone; while it is set up, SQLite waits in its own way."""
        make_private(str(self.settings_dict["NAME"]))
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        return connection

    def create_cursor(self, name: str | None = None) -> "Cursor":
        """Return a cursor that retries while the database is busy."""
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        cursor.timeout = float(self.settings_dict["OPTIONS"].get("timeout", 5.0))
        return cursor


class Cursor(base.SQLiteCursorWrapper):
    """Retries a statement while another connection writes, for up to `timeout` seconds."""

    timeout = 5.0

    # `Any`, because Django's stubs and sqlite3's disagree about the types of both methods

    def execute(self, query: str, params: Any = None) -> Any:
        """Run a statement. Raises sqlite3.OperationalError when the database stays locked."""
        return self._retry_while_busy(super().execute, query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        """Run a statement for each of many parameters, which may be an iterator."""
        return self._retry_while_busy(super().executemany, query, list(param_list))

    def _retry_while_busy[Result](self, run: Callable[..., Result], *arguments: object) -> Result:
        deadline, changes_before = time.monotonic() + self.timeout, self.connection.total_changes
        while True:
            try:
                return run(*arguments)
            except sqlite3.OperationalError as error:
                # BUSY_SNAPSHOT isn't retried: a read transaction that can't become a write stays so
                is_busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
                is_untouched = self.connection.total_changes == changes_before
                if not (is_busy and is_untouched) or time.monotonic() > deadline:
                    raise
