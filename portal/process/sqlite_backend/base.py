"""Waits for SQLite's one write lock with short, even pauses.

SQLite's own wait grows to 100 ms a look, so who has waited longest looks most seldom, and beside steady writers a web
request stood for seconds. A statement that finds the database busy has changed nothing, so it may be tried again.
"""

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.sqlite3 import base

LOOK_MS = 5  # within it SQLite looks after 1, 2 and 2 ms


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose OPTIONS' `timeout` is kept by looking often."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection; while it is set up, SQLite waits in its own way."""
        connection = super().get_new_connection(conn_params)
        connection.execute(f"PRAGMA busy_timeout = {LOOK_MS}")
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        """Return a cursor that waits fairly."""
        cursor = self.connection.cursor(factory=Cursor)
        cursor.patience = float(self.settings_dict["OPTIONS"].get("timeout", 5.0))
        return cursor


class Cursor(base.SQLiteCursorWrapper):
    """Tries a statement again while another connection writes, for `patience` seconds."""

    patience = 5.0

    def execute(self, query: str, params: Any = None) -> Any:
        """Run a statement. Raises sqlite3.OperationalError when the database stays locked."""
        return self._when_free(super().execute, query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        """Run a statement for each of many parameters, which may be an iterator."""
        return self._when_free(super().executemany, query, list(param_list))

    def _when_free(self, run: Callable[..., Any], *arguments: Any) -> Any:
        deadline, changes = time.monotonic() + self.patience, self.connection.total_changes
        while True:
            try:
                return run(*arguments)
            except sqlite3.OperationalError as error:
                # a read that can't become a write any more (BUSY_SNAPSHOT) is as busy at every later look
                is_busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
                is_untouched = self.connection.total_changes == changes
                if not (is_busy and is_untouched) or time.monotonic() > deadline:
                    raise
