"""Time-outs that are set on every new database connection."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

TIMEOUT_SECONDS = 10  # far less than a lease, far more than any transaction of the portal takes


def set_transaction_timeouts(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Let PostgreSQL end idle transactions, and waits for a lock, after TIMEOUT_SECONDS.

    A process that is suspended while it claims a row would otherwise keep every other worker from claiming one; and
    its threads that wait for a lock would get it one after the other, each for as long.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{TIMEOUT_SECONDS}s'")
            cursor.execute(f"SET lock_timeout = '{TIMEOUT_SECONDS}s'")


connection_created.connect(set_transaction_timeouts, dispatch_uid="set_transaction_timeouts")
