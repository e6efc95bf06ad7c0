"""Triggers of the database that belong to a table, as a constraint of its model."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table


class Triggers(models.BaseConstraint):
    """Triggers of a table, each named by the constraint and one of `events`.

    A constraint, so that the triggers come and go with the table, also when SQLite builds the table anew.
    """

    events: Sequence[str] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Triggers) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash(self.name)

    def validate(self, *_: Any, **__: Any) -> None:
        """Do nothing: no values of a new row are wrong."""

    def constraint_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> None:  # type: ignore[override]
        """Schedule the triggers for after the table is created; they aren't part of CREATE TABLE."""
        schema_editor.deferred_sql.extend(self._statements(model, schema_editor))

    def create_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> Statement:  # type: ignore[override]
        """Return the last statement, and have the others made before it or later."""
        *others, last = self._statements(model, schema_editor)
        if (
            schema_editor.connection.vendor == "postgresql"
        ):  # which needs the function first, and runs several at once
            return _statement("; ".join(other.template for other in (*others, last)), model, schema_editor)
        schema_editor.deferred_sql.extend(others)
        return last

    def remove_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> Statement:  # type: ignore[override]
        """Return what removes the triggers on PostgreSQL; SQLite builds the table anew without them."""
        names = [f"{self.name}_{event}" for event in self.events]
        return _statement(
            "; ".join(f'DROP TRIGGER IF EXISTS "{name}" ON %(table)s' for name in names), model, schema_editor
        )

    def _statements(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> list[Statement]:
        is_postgresql = schema_editor.connection.vendor == "postgresql"
        make = self._for_postgresql if is_postgresql else self._for_sqlite
        return [_statement(sql, model, schema_editor) for sql in make(model)]

    def _for_postgresql(self, model: type[models.Model]) -> Iterable[str]:
        """Return the statements that make the triggers, after those that make the function they run."""
        raise NotImplementedError

    def _for_sqlite(self, model: type[models.Model]) -> Iterable[str]:
        """Return the statements that make the triggers."""
        raise NotImplementedError


def _statement(sql: str, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> Statement:
    # `Table` follows when SQLite gives the table that it built anew its name
    return Statement(sql, table=Table(model._meta.db_table, schema_editor.quote_name))


def column_of(model: type[models.Model], name: str) -> str:
    """Return the name of a field's column. Raises FieldDoesNotExist."""
    field = model._meta.get_field(name)
    if not isinstance(field, models.Field) or field.column is None:
        raise FieldDoesNotExist(name)
    return field.column
