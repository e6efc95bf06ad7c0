"""Run one step on a claimed row: its result, a platform's error or a bug come back as values."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from integrations.http.errors import PlatformError
from integrations.models.db_retry import DATABASE_OUTAGE, conflict
from integrations.models.leasing import masked_traceback

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Crash:
    """A bug: the error's type and where it came from. Never its message, which may quote personal data."""

    error_type: str
    traceback: str

    @property
    def reason(self) -> str:
        """The sentence that people read."""
        return f"The portal failed on this: {self.error_type}."


@dataclass(frozen=True)
class Conflict:
    """Another transaction ended the step: a deadlock or the like, in words. Done again, it most likely succeeds."""

    name: str

    @property
    def reason(self) -> str:
        """The sentence that people read."""
        return f"It met {self.name} with another transaction."


def run_step[Result](step: Callable[[], Result]) -> Result | PlatformError | Conflict | Crash:
    """Return what the step returns, the error a platform answered with, a conflict, or the bug that ended it.

    A bug on one row must not stop the others. An outage of the database is raised: the lease expires, and another
    worker takes the row when the database is back.
    """
    try:
        return step()
    except PlatformError as error:
        return error
    except DATABASE_OUTAGE as error:
        if not (name := conflict(error)):
            raise
        logger.warning("%s with another transaction ended a step; it is done again", name)
        return Conflict(name)
    except Exception as error:  # noqa: BLE001
        return Crash(type(error).__name__, masked_traceback(error))
