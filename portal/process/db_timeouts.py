"""What every connection to the database is told when it is made."""

from typing import Any

from django.db.backends.signals import connection_created

FROZEN_SECONDS = 10  # far less than a lease, far more than a transaction of ours takes


def end_frozen_transactions(connection: Any, **_: Any) -> None:
    """Let PostgreSQL end the transaction of a process that stopped in the midst of it, and its locks with it.

    A machine that falls asleep while it claims a row would otherwise keep every other worker from claiming any; and
    its threads that wait for a lock would get it one after the other, each for as long.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{FROZEN_SECONDS}s'")
            cursor.execute(f"SET lock_timeout = '{FROZEN_SECONDS}s'")


connection_created.connect(end_frozen_transactions, dispatch_uid="end_frozen_transactions")
