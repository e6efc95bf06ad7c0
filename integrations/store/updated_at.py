"""When a row last changed, written by the database; and up to when all changes are committed.

A program that copies rows asks for those that changed since the last time. The time of a change is earlier than its
commit, so "since I last asked" would miss what was being written then. `settled_until` is a
time to ask from that misses nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.db.models import Func, Q, Value
from django.db.models.functions import Now

from integrations.store import database
from integrations.store.triggers import Triggers, column_of

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
