"""Erased texts must not stay readable in the file of an SQLite database."""

from django.db import connection


def overwrite_deleted() -> None:
    """Move the write-ahead log into the database and empty it, on SQLite: the log still holds the texts from before.

    `secure_delete` overwrites what is deleted in the database itself. While somebody reads, the log can't be emptied;
    that is done by the next erasure, or when it is repeated. On PostgreSQL, VACUUM removes what was changed.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
