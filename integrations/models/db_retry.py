"""Record an intent or a platform's answer, also while the database restarts: an answer is told only once."""

import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

RETRY_SECONDS = 20.0  # before and after a call, all within the lease
PAUSE_SECONDS = 0.2


def with_retry[Outcome](write: Callable[[], Outcome]) -> Outcome:
    """Return what `write` returns; it is done again on a new connection while the database is away.

    It has to be safe to do twice: the commit may have taken place although nobody said so.
    """
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            logger.warning("the database went away before something was recorded; trying again")
            connection.close()
            time.sleep(PAUSE_SECONDS)
