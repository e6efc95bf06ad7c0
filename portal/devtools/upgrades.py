"""Which migrations would hold up a portal that serves meanwhile."""

from collections.abc import Iterable, Iterator

from django.db.migrations import (
    AddConstraint,
    AddField,
    AddIndex,
    CreateModel,
    Migration,
    RunPython,
    RunSQL,
)
from django.db.migrations.operations.base import Operation

FIRST = "0001_initial"


def problems(migrations: Iterable[Migration]) -> list[str]:
    """Return a sentence for each migration that would hold the portal up; no release ran before the first one."""
    return [problem for one in migrations if one.name != FIRST for problem in _problems(one)]


def _problems(migration: Migration) -> Iterator[str]:
    operations = migration.operations
    tables = {_table(operation) for operation in operations}
    if migration.atomic and len(tables) > 1:
        yield (
            f"{migration}: it changes {' and '.join(sorted(tables))} in one transaction, which holds the lock of one "
            "while it waits for the other. Write a migration for each."
        )
    if not migration.atomic and len(operations) > 1:
        yield f"{migration}: without a transaction it can't be tried again half-way. Write one for each operation."
    if migration.atomic and any(isinstance(one, RunPython | RunSQL) for one in operations):
        yield f"{migration}: it locks every row that it changes until its end. Say atomic = False, and change batches."
    if not all(operation.reversible for operation in operations):
        yield f"{migration}: it can't be undone, so that nobody can go back. Say what undoes it."
    new = {one.name_lower for one in operations if isinstance(one, CreateModel)}
    for one in operations:
        if type(one) in _BESIDE and _table(one) not in new:
            yield f"{migration}: it reads the whole table under a lock. Use {_BESIDE[type(one)]}."
        if isinstance(one, AddField) and not (one.field.null or one.field.has_db_default()):
            yield f"{migration}: the release before couldn't insert a row. Say null=True or a db_default of {one.name}."


#: What does the same while others write; upgrade_rehearsal/operations.py has both for SQLite too.
_BESIDE = {
    AddIndex: "AddIndexConcurrently",
    AddConstraint: "AddConstraintNotValid and ValidateConstraint, for a unique one an index",
}


def _table(operation: Operation) -> str:
    """Return whose table an operation changes; of SQL and of Python code that can't be told."""
    if isinstance(operation, RunPython | RunSQL):
        return type(operation).__name__
    name = getattr(operation, "model_name", None) or getattr(operation, "name", type(operation).__name__)
    return str(name).lower()
