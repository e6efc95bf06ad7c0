"""Time-outs that are set on every new database connection, and others while it is migrated."""

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

TIMEOUT_SECONDS = 10  # far less than a lease, far more than any transaction of the portal takes
#: How long a migration waits for a lock: every statement on the table queues behind it. Less than a webhook waits.
MIGRATION_LOCK_SECONDS = 2
NO_TIMEOUT = 0


def set_transaction_timeouts(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Let PostgreSQL end idle transactions, and waits for a lock, after TIMEOUT_SECONDS.

    A process that is suspended while it claims a row would otherwise keep every other worker from claiming one; and
    its threads that wait for a lock would get it one after the other, each for as long.
    """
    _set(connection, idle=TIMEOUT_SECONDS, lock=TIMEOUT_SECONDS)


def set_timeouts_of_migrations(using: str, **_: object) -> None:
    """Let a migration take its time, for one may change many rows, but wait only briefly for a lock."""
    _set(connections[using], idle=NO_TIMEOUT, lock=MIGRATION_LOCK_SECONDS)


def set_timeouts_of_migration(connection: BaseDatabaseWrapper, *, is_atomic: bool) -> None:
    """The same for one migration. One without a transaction, such as an index that is built concurrently, waits on.

    It holds nobody up, and couldn't be tried again from its beginning.
    """
    _set(connection, idle=NO_TIMEOUT, lock=MIGRATION_LOCK_SECONDS if is_atomic else NO_TIMEOUT)


def restore_timeouts(using: str, **_: object) -> None:
    """Set the time-outs again after the migrations."""
    set_transaction_timeouts(connections[using])


def _set(connection: BaseDatabaseWrapper, *, idle: int, lock: int) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{idle}s'")
            cursor.execute(f"SET lock_timeout = '{lock}s'")


connection_created.connect(set_transaction_timeouts, dispatch_uid="set_transaction_timeouts")
pre_migrate.connect(set_timeouts_of_migrations, dispatch_uid="set_timeouts_of_migrations")
post_migrate.connect(restore_timeouts, dispatch_uid="restore_timeouts")
