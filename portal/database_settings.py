"""How the portal connects to its database, and whether what DATABASE_URL says of it can be right."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SQLITE_BACKEND = "portal.process.sqlite_backend"
POSTGRESQL_BACKEND = "portal.process.postgresql_backend"

SQLITE_OPTIONS = {
    # web and workers share the file: a writer waits for the lock at BEGIN instead of failing half-way
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # what is deleted or erased is overwritten in the file
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON; "
    "PRAGMA secure_delete=ON;",
}
#: A host that is gone or silent is noticed within 6 s (the last is in ms); DATABASE_URL may say otherwise.
TIME_OUTS = {
    "connect_timeout": 3,
    "keepalives_idle": 3,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 6000,
}
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
            own = {"ENGINE": SQLITE_BACKEND, "OPTIONS": {**options, **SQLITE_OPTIONS}}
        case "django.db.backends.postgresql":
            own = {"ENGINE": POSTGRESQL_BACKEND, "OPTIONS": {**TIME_OUTS, **options, **BINDING}}
        case _:
            own = {"OPTIONS": options}
    return {**given, **own, **LASTING}


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
