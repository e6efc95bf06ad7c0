"""Time-outs that are set on every new database connection, and lifted while it is migrated."""

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

TIMEOUT_SECONDS = 10  # far less than a lease, far more than any transaction of the portal takes
NO_TIMEOUT = 0


def set_transaction_timeouts(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Let PostgreSQL end idle transactions, and waits for a lock, after TIMEOUT_SECONDS.

    A process that is suspended while it claims a row would otherwise keep every other worker from claiming one; and
    its threads that wait for a lock would get it one after the other, each for as long.
    """
    _set(connection, TIMEOUT_SECONDS)


def lift_timeouts(using: str, **_: object) -> None:
    """Let a migration take its time: one may change many rows, or wait for the lock of a backup that reads them."""
    _set(connections[using], NO_TIMEOUT)


def restore_timeouts(using: str, **_: object) -> None:
    """Set the time-outs again after a migration."""
    _set(connections[using], TIMEOUT_SECONDS)


def _set(connection: BaseDatabaseWrapper, seconds: int) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{seconds}s'")
            cursor.execute(f"SET lock_timeout = '{seconds}s'")


connection_created.connect(set_transaction_timeouts, dispatch_uid="set_transaction_timeouts")
pre_migrate.connect(lift_timeouts, dispatch_uid="lift_timeouts")
post_migrate.connect(restore_timeouts, dispatch_uid="restore_timeouts")
