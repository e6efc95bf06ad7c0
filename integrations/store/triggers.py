"""Triggers of the database, as constraints of models: rows that are only ever added, and when a row last changed."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import Func, Q, Value
from django.db.models.functions import Now

from integrations.store import database


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


# Rows that are only ever added: the triggers refuse to change or remove them, and so does Django.


_OPTIONS = ("erasable", "also_erasable", "salt", "one_way", "free")


class AppendOnly(Triggers):
    """Triggers that refuse to change or remove a table's rows, but for what is named here.

    `erasable`: columns that may be emptied, all at once and together with the column `salt`; with them those in
    `also_erasable`, which may stay. `one_way`: booleans that
    may become false. `free`: columns that prove nothing, and that another trigger writes.
    """

    events = ("update", "delete", "truncate")

    def __init__(
        self,
        *,
        name: str,
        erasable: Sequence[str] = (),
        also_erasable: Sequence[str] = (),
        salt: str = "",
        one_way: Sequence[str] = (),
        free: Sequence[str] = (),
    ) -> None:
        super().__init__(name=name)
        self.erasable, self.also_erasable, self.salt = tuple(erasable), tuple(also_erasable), salt
        self.one_way, self.free = tuple(one_way), tuple(free)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, arguments, options = super().deconstruct()
        given = {name: getattr(self, name) for name in _OPTIONS}
        return path, arguments, options | {name: value for name, value in given.items() if value}

    def _for_postgresql(self, model: type[models.Model]) -> Iterable[str]:
        yield (
            "CREATE OR REPLACE FUNCTION portal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', "
            "MESSAGE = TG_TABLE_NAME || ' is append-only: ' || lower(TG_OP) || ' is refused'; END $$"
        )
        free = "{" + ",".join(column_of(model, name) for name in self._changing()) + "}"
        unchanged = f"to_jsonb(NEW) - '{free}'::text[] = to_jsonb(OLD) - '{free}'::text[]"
        permitted = self._permitted(model, unchanged, "=", "'{}'::jsonb")
        run = "EXECUTE FUNCTION portal_refuse_change()"
        yield (
            f'CREATE TRIGGER "{self.name}_update" BEFORE UPDATE ON %(table)s '
            f"FOR EACH ROW WHEN (NOT ({permitted})) {run}"
        )
        yield f'CREATE TRIGGER "{self.name}_delete" BEFORE DELETE ON %(table)s FOR EACH ROW {run}'
        yield f'CREATE TRIGGER "{self.name}_truncate" BEFORE TRUNCATE ON %(table)s FOR EACH STATEMENT {run}'

    def _for_sqlite(self, model: type[models.Model]) -> Iterable[str]:
        fixed = [field.column for field in model._meta.local_concrete_fields]
        free = {column_of(model, name) for name in self._changing()}
        unchanged = " AND ".join(f'NEW."{name}" IS OLD."{name}"' for name in fixed if name not in free)
        permitted = self._permitted(model, unchanged, "IS", "'{}'")
        for event, condition in (("UPDATE", f"WHEN NOT ({permitted}) "), ("DELETE", "")):
            # without the table's name, which is another one while SQLite builds it anew
            message = f"this table is append-only ({self.name}): {event.lower()} is refused"
            yield (
                f'CREATE TRIGGER "{self.name}_{event.lower()}" BEFORE {event} ON %(table)s FOR EACH ROW {condition}'
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )

    def _changing(self) -> tuple[str, ...]:
        return (
            *self.erasable,
            *self.also_erasable,
            *((self.salt,) if self.salt else ()),
            *self.one_way,
            *self.free,
        )

    def _permitted(self, model: type[models.Model], unchanged: str, same: str, empty_json: str) -> str:
        """Return the condition under which a change of a row is permitted."""
        conditions = [unchanged]
        for name in self.one_way:
            column = column_of(model, name)
            conditions.append(f'(OLD."{column}" OR NOT NEW."{column}")')
        if self.salt:
            empty = {
                name: empty_json if isinstance(model._meta.get_field(name), models.JSONField) else "''"
                for name in self.erasable
            }
            empty[self.salt] = "''"
            columns = [(column_of(model, name), value) for name, value in empty.items()]
            also = [column_of(model, name) for name in self.also_erasable]
            kept = [f'NEW."{column}" {same} OLD."{column}"' for column in [*dict(columns), *also]]
            erased = [f'NEW."{column}" {same} {value}' for column, value in columns]
            erased += [
                f'(NEW."{column}" {same} OLD."{column}" OR NEW."{column}" {same} \'\')' for column in also
            ]
            conditions.append(f"(({' AND '.join(kept)}) OR ({' AND '.join(erased)}))")
        return " AND ".join(conditions)


class AppendOnlyError(TypeError):
    """Somebody's code changes or removes a row that is only ever added."""


def refuse(model: type[models.Model], what: str) -> NoReturn:
    """Raise AppendOnlyError for the kind of row."""
    raise AppendOnlyError(f"{model._meta.verbose_name_plural} are append-only: {what} is refused.")


class AppendOnlyQuerySet[Row: models.Model](models.QuerySet[Row]):
    """Rows that can be read and added one by one."""

    def update(self, **_: Any) -> NoReturn:
        refuse(self.model, "update()")

    def delete(self) -> NoReturn:
        refuse(self.model, "delete()")

    def bulk_create(self, *_: Any, **__: Any) -> NoReturn:
        """Raise AppendOnlyError: each row is linked to the one before it."""
        refuse(self.model, "bulk_create()")

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        refuse(self.model, "bulk_update()")

    # keep Django's marks, so that templates don't call these and managers don't offer them
    update.alters_data = delete.alters_data = True  # type: ignore[attr-defined]
    bulk_create.alters_data = bulk_update.alters_data = True  # type: ignore[attr-defined]

    def _change(self, **values: Any) -> int:
        """Make one of the changes that the table's trigger permits; return the number of rows."""
        return super().update(**values)


class AppendOnlyModel(models.Model):
    """A row that is stored once."""

    class Meta:
        abstract = True

    def save(self, **_: Any) -> None:
        """Store a new row. Raises AppendOnlyError for a row that is stored already."""
        if not self._state.adding:
            refuse(type(self), "save() of a stored row")
        super().save(force_insert=True)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        refuse(type(self), "delete()")


# When a row last changed, written by the database; and up to when all changes are committed.
#
# A program that copies rows asks for those that changed since the last time. The time of a change is earlier than its
# commit, so "since I last asked" would miss what was being written then. `settled_until` is a time to ask from that
# misses nothing.


UPDATED_AT = "updated_at"
_SQLITE_FORMAT = "%Y-%m-%d %H:%M:%f"
_SQLITE_NOW = f"strftime('{_SQLITE_FORMAT}', 'now')"
#: The portal keeps no transaction open for as long: each writes one batch, and makes no call meanwhile.
LONGEST_TRANSACTION = timedelta(minutes=1)


def updated_at_column() -> "models.DateTimeField[str | datetime, datetime]":
    """Return the column that a KeepsUpdatedAt writes."""
    return models.DateTimeField(
        db_default=Now(), editable=False, help_text="When what programs are told of it last changed."
    )


class KeepsUpdatedAt(Triggers):
    """A trigger that writes the time into `updated_at` when one of the fields changes; it never goes back.

    In the database, because rows are changed in many places and by statements of our own.
    """

    events = ("update",)

    def __init__(self, *, name: str, fields: Sequence[str]) -> None:
        super().__init__(name=name)
        self.fields = tuple(fields)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, arguments, options = super().deconstruct()
        return path, arguments, options | {"fields": self.fields}

    def _for_postgresql(self, model: type[models.Model]) -> Iterable[str]:
        yield (
            "CREATE OR REPLACE FUNCTION portal_keep_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"NEW.{UPDATED_AT} := greatest(OLD.{UPDATED_AT}, clock_timestamp()); RETURN NEW; END $$"
        )
        yield (
            f'CREATE TRIGGER "{self.name}_update" BEFORE UPDATE ON %(table)s FOR EACH ROW '
            f"WHEN ({self._changes(model, 'IS DISTINCT FROM')}) EXECUTE FUNCTION portal_keep_updated_at()"
        )

    def _for_sqlite(self, model: type[models.Model]) -> Iterable[str]:
        now = _SQLITE_NOW.replace("%", "%%")  # a statement is a template
        fields = ", ".join(f'"{column_of(model, name)}"' for name in self.fields)
        # of these columns alone: with `recursive_triggers` it would otherwise run again for its own change
        body = f"SET {UPDATED_AT} = max(OLD.{UPDATED_AT}, {now}) WHERE id = NEW.id"
        yield (
            f'CREATE TRIGGER "{self.name}_update" AFTER UPDATE OF {fields} ON %(table)s FOR EACH ROW '
            f"WHEN {self._changes(model, 'IS NOT')} BEGIN UPDATE %(table)s {body}; END"
        )

    def _changes(self, model: type[models.Model], differs: str) -> str:
        # the column too: a row that is saved whole would write back the time that it was read with
        columns = [column_of(model, name) for name in (*self.fields, UPDATED_AT)]
        return " OR ".join(f'OLD."{column}" {differs} NEW."{column}"' for column in columns)


def changed_since(since: datetime) -> Q:
    """Return the condition that a row changed then or later."""
    if connection.vendor == "postgresql":
        return Q(updated_at__gte=since)
    # SQLite compares times as text: "….123", as its clock writes it, would be before "….123000"
    written = Func(
        Value(_SQLITE_FORMAT), Value(since), function="strftime", output_field=models.DateTimeField()
    )
    return Q(updated_at__gte=written)


def settled_until() -> datetime:
    """Return a time: every change with an earlier `updated_at` is committed, or never will be."""
    return database.now() - LONGEST_TRANSACTION
