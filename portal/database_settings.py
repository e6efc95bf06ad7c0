"""How the portal connects to its database, and whether what DATABASE_URL says of it can be right."""

import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

SQLITE_BACKEND = "django.db.backends.sqlite3"

SQLITE_OPTIONS = {
    # web and workers share the file: a writer waits for the lock at BEGIN instead of failing half-way
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # what is deleted or erased is overwritten in the file
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON; "
    "PRAGMA secure_delete=ON;",
}
#: A host that is gone or silent is noticed within 4 s (the last is in ms); DATABASE_URL may say otherwise.
TIME_OUTS = {
    "connect_timeout": 2,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 4000,
}
#: What PostgreSQL itself ends, in seconds: any statement; a wait for a lock, far longer than any transaction of the
#: portal takes, and far less than a lease; and a transaction whose process is suspended, which would hold its locks.
STATEMENT_SECONDS, LOCK_SECONDS, IDLE_SECONDS = 30, 10, 10
#: Of every session, whatever the server, the role or the environment say. Each statement sees what is committed when it
#: begins: a decision that waited for a lock reads the newest rows. To compile a statement (`jit`) took longer than to
#: run it.
SESSION = (
    f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s "
    f"-c idle_in_transaction_session_timeout={IDLE_SECONDS}s "
    r"-c default_transaction_isolation=read\ committed -c jit=off"
)
#: What a worker's connection runs often is parsed and planned once: it finds rows by a key. What people look for
#: differs: nearly all deliveries have one verdict and a dozen another, so that either is found in its own way. The one
#: statement of the web server that is planned once stores a webhook (`store.database.kept_plans`).
BINDING = {"server_side_binding": True, "prepare_threshold": 3 if "qcluster" in sys.argv else None}
LASTING = {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False}
#: A server that isn't there, in place of the one that DATABASE_URL names.
NOWHERE = "/nowhere"


def database_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return Django's settings of a database, with those that the portal relies on."""
    options = given.get("OPTIONS", {})
    match given["ENGINE"]:
        case "django.db.backends.sqlite3":
            options = {**options, **SQLITE_OPTIONS}
        case "django.db.backends.postgresql":
            own = {"application_name": "portal", "options": SESSION, **TIME_OUTS}
            options = {**own, **options, **BINDING}
    return {**given, "OPTIONS": options, **LASTING}


def can_be_right(given: Mapping[str, Any]) -> bool:
    """Whether a SQLite file's folder exists, or PostgreSQL's client library accepts the options.

    Nothing is connected.
    """
    if given["ENGINE"] == "django.db.backends.sqlite3":
        return Path(given["NAME"]).parent.is_dir()
    import psycopg  # noqa: PLC0415 - it is large, and SQLite needs none of it
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415

    options = given.get("OPTIONS", {})
    try:
        address = make_conninfo("", **{**options, "host": NOWHERE})
    except psycopg.Error:
        return False
    # it looks at the values before it looks for the server
    error = psycopg.pq.PGconn.connect_start(address.encode()).error_message
    return NOWHERE.encode() in error and all(isinstance(options.get(name, 0), int) for name in TIME_OUTS)


OWNER_ALONE = 0o600
#: What SQLite and the portal write beside the file. SQLite gives new ones the mode of the file itself.
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock")


def make_private(connection: Any, **_: object) -> None:
    """Make a SQLite file that a connection was made to readable by its owner alone: it holds personal data.

    What can't be changed, because somebody else owns it, is logged with the fix.
    """
    if connection.vendor != "sqlite" or connection.is_in_memory_db():
        return
    for suffix in _BESIDE:
        path = Path(f"{connection.settings_dict['NAME']}{suffix}")
        with suppress(FileNotFoundError):
            try:
                path.chmod(OWNER_ALONE)
            except PermissionError:
                logger.warning("%s may be read by others: change its owner or run chmod 600 on it", path)
