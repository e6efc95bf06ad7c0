"""Retry a database write while the database restarts: a platform's answer can't be fetched a second time."""

import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, InternalError, OperationalError, connection

logger = logging.getLogger(__name__)

#: What the driver raises when the database is unreachable. Other errors mean that the statement itself is wrong.
DATABASE_OUTAGE = (OperationalError, InterfaceError)
#: What PostgreSQL calls the end of a statement because of another transaction. The database is there, and the same
#: succeeds when it is tried again.
CONFLICTS = {"40P01": "a deadlock", "55P03": "a lock time-out", "40001": "a serialization failure"}
RETRY_SECONDS = 20.0  # short enough to retry before and after a call within one lease
PAUSE_SECONDS = 0.2


def conflict(error: BaseException) -> str:
    """Return which conflict with another transaction ended a statement, in words; empty for any other error."""
    return CONFLICTS.get(getattr(error.__cause__, "sqlstate", None) or "", "")


def with_retry[Outcome](write: Callable[[], Outcome]) -> Outcome:
    """Return what `write` returns; while the database is unreachable, `write` is called again on a new connection.

    After a conflict with another transaction it is called again at once.

    `write` must be safe to run twice: a commit may have succeeded although the connection broke before the answer.
    The last error is raised after RETRY_SECONDS, and at once inside a transaction, which can't be continued.
    """
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            return write()
        except DATABASE_OUTAGE as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            if name := conflict(error):
                logger.warning("%s with another transaction ended a write; it is tried again", name)
                continue
            logger.warning("the database is unreachable; retrying the write", exc_info=True)
            connection.close()
            time.sleep(PAUSE_SECONDS)


def on_a_live_connection[Outcome](run: Callable[[], Outcome]) -> Outcome:
    """Return what `run` returns; when its connection proves to have ended meanwhile, it is called on a new one.

    `run` must be safe to run twice. Inside a transaction, which can't be continued, the error is raised.
    """
    try:
        return run()
    except (*DATABASE_OUTAGE, InternalError):
        if connection.connection is None or connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return run()
