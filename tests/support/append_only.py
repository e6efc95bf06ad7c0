"""Without the triggers that keep rows as they are: as somebody who may do anything to the database has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models, transaction
from django.db.backends.base.introspection import BaseDatabaseIntrospection
from django.db.backends.base.operations import BaseDatabaseOperations

KEPT = {"auth_permission", "django_content_type"}


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
    """Let a test that commits end with empty tables: Django empties them by DELETE or TRUNCATE.

    Content types and permissions stay as they are: to make them anew takes most of the time.
    """
    flush, names = BaseDatabaseOperations.execute_sql_flush, BaseDatabaseIntrospection.django_table_names

    def execute_sql_flush(self: BaseDatabaseOperations, sql_list: Any) -> None:
        with transaction.atomic(), lifted():
            flush(self, sql_list)

    def django_table_names(*given: Any, **options: Any) -> list[str]:
        return [name for name in names(*given, **options) if name not in KEPT]

    BaseDatabaseOperations.execute_sql_flush = execute_sql_flush  # type: ignore[method-assign]
    BaseDatabaseIntrospection.django_table_names = django_table_names  # type: ignore[method-assign]
