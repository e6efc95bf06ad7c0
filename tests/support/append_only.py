"""Without the triggers that keep rows as they are: as somebody who may do anything to the database has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models
from django.db.backends.base.operations import BaseDatabaseOperations


@contextmanager
def lifted() -> Iterator[None]:
    """Take the triggers away, and put them back as they were."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # the tests' role is a superuser; unlike DISABLE TRIGGER this works within a transaction that wrote rows
            cursor.execute("SET session_replication_role = replica")
            yield
            cursor.execute("SET session_replication_role = origin")
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            yield
            for _, statement in triggers:
                cursor.execute(statement)


def overwrite(rows: models.QuerySet[Any], **values: Any) -> int:
    """Change rows as nobody may: behind Django's and the database's back. Return how many."""
    with lifted():
        return models.QuerySet.update(rows, **values)


def lift_while_flushed() -> None:
    """Let a test that commits end with empty tables: Django empties them by DELETE or TRUNCATE."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def execute_sql_flush(self: BaseDatabaseOperations, sql_list: Any) -> None:
        with lifted():
            flush(self, sql_list)

    BaseDatabaseOperations.execute_sql_flush = execute_sql_flush  # type: ignore[method-assign]
