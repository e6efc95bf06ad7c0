"""Erased texts must not stay readable in the file of an SQLite database."""

import time

from django.db import connection

#: While somebody reads, SQLite's log can't be emptied. An erasure tries for a moment, its repetition for longer.
MOMENT_SECONDS, LONG_SECONDS = 0.2, 5.0
PAUSE_SECONDS = 0.01


def overwrite_deleted(seconds: float = MOMENT_SECONDS) -> None:
    """Move the write-ahead log into the database and empty it, on SQLite: the log still holds the texts from before.

    `secure_delete` overwrites what is deleted in the database itself. While somebody reads, this is tried again for so
    many seconds; then the next erasure does it, or the repetition. On PostgreSQL, VACUUM removes what was changed.
    """
    if connection.vendor != "sqlite":
        return
    deadline = time.monotonic() + seconds
    while not _empty_log() and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)


def _empty_log() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        is_busy, *_ = cursor.fetchone()
    return not is_busy
