"""What a migration may do beside a portal that serves, as far as one can tell from its operations."""

from collections.abc import Iterable, Iterator

from django.db.migrations import Migration, RunPython, RunSQL
from django.db.migrations.operations.base import Operation

FIRST = "0001_initial"


def problems(migrations: Iterable[Migration]) -> list[str]:
    """Return a sentence for each migration that would hold the portal up; no release ran before the first one."""
    return [problem for one in migrations if one.name != FIRST for problem in _problems(one)]


def _problems(migration: Migration) -> Iterator[str]:
    tables = {_table(operation) for operation in migration.operations}
    if migration.atomic and len(tables) > 1:
        yield (
            f"{migration}: it changes {' and '.join(sorted(tables))} in one transaction, which holds the lock of one "
            "while it waits for the other. Write a migration for each."
        )
    if not migration.atomic and len(migration.operations) > 1:
        yield f"{migration}: without a transaction it can't be tried again half-way. Write one for each operation."


def _table(operation: Operation) -> str:
    """Return whose table an operation changes; of SQL and of Python code that can't be told."""
    if isinstance(operation, RunPython | RunSQL):
        return type(operation).__name__
    name = getattr(operation, "model_name", None) or getattr(operation, "name", type(operation).__name__)
    return str(name).lower()
