"""How the portal connects to its database, beside where that is."""

import sys
from collections.abc import Mapping
from typing import Any

SQLITE = "portal.process.sqlite_backend"
POSTGRESQL = "portal.process.postgresql_backend"

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
#: differs: nearly all deliveries have one verdict and a dozen another, so that either is found in its own way.
BINDING = {"server_side_binding": True, "prepare_threshold": 3 if "qcluster" in sys.argv else None}
LASTING = {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False}


def database_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return Django's settings of a database, with those that the portal relies on."""
    options = given.get("OPTIONS", {})
    match given["ENGINE"]:
        case "django.db.backends.sqlite3":
            own = {"ENGINE": SQLITE, "OPTIONS": {**options, **SQLITE_OPTIONS}}
        case "django.db.backends.postgresql":
            own = {"ENGINE": POSTGRESQL, "OPTIONS": {**TIME_OUTS, **options, **BINDING}}
        case _:
            own = {"OPTIONS": options}
    return {**given, **own, **LASTING}
