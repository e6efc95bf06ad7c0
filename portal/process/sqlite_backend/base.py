"""Django's SQLite backend with the portal's bounds, in files that only the portal's user can read."""

import logging
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

logger = logging.getLogger(__name__)

# The database's file holds personal data: it and what is written beside it are readable by their owner alone.


OWNER_ALONE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
#: What SQLite and the portal write beside the file. SQLite gives new ones the mode of the file itself.
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock")


def make_private(name: str) -> None:
    """Make the database's file for its owner alone, or take the others' rights to an existing one away.

    A database in memory has none. What can't be changed, because somebody else owns it, is logged with the fix.
    """
    if not name or name == ":memory:" or name.startswith("file:"):
        return
    try:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ALONE))
    except FileExistsError:
        for path in (Path(f"{name}{suffix}") for suffix in _BESIDE):
            take_rights_of_others(path)
    except OSError:
        return  # connecting fails for the same reason, and says so


def take_rights_of_others(path: Path) -> None:
    """Make an existing file readable and writable by its owner alone; say so where it wasn't."""
    try:
        if not path.stat().st_mode & _OTHERS:
            return
        path.chmod(OWNER_ALONE)
    except FileNotFoundError:
        return
    except OSError:
        logger.warning("%s can be read by others: change its owner or run chmod 600 on it", path)
    else:
        logger.warning("%s could be read by others; from now on only its owner can", path)


# Waits for SQLite's write lock with short, even pauses.
#
# SQLite's own backoff grows to 100 ms between tries and so starves the longest waiter: beside steady writers, a web
# request waited for seconds. A statement that finds the database busy has changed nothing, so it may be retried.


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
