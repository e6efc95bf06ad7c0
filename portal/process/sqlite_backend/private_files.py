"""The database's file holds personal data: it and what is written beside it are readable by their owner alone."""

import logging
import os
import stat
from pathlib import Path

logger = logging.getLogger(__name__)

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
