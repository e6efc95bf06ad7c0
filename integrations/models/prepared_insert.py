"""Storing of new rows by one statement, each form of which is compiled once for each kind of database."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from django.db.models.expressions import DatabaseDefault
from django.db.models.functions import Now
from django.db.models.sql import InsertQuery

from integrations.models.pipeline import send
from integrations.models.prepared import Converters, Place, converted, filled
from integrations.models.prepared_update import Part, field_of, is_for_every_row, part_of

if TYPE_CHECKING:
    type AnyField = models.Field[Any, Any]

#: What a row states of each column: a part of the statement, or None for a value that has a place in it.
type Form = tuple[Part, ...]


class _Compiled(NamedTuple):
    sql: str
    parameters: Sequence[object]
    returned: "Sequence[AnyField]"
    converters: Converters


def insert_row(row: models.Model) -> None:
    """Store a new row, and read what the database gives it: its key, defaults and what expressions are.

    Sends no signal and checks no related object. Raises IntegrityError when the row breaks a rule.
    """
    send_row(row)()


def send_row(row: models.Model) -> Callable[[], None]:
    """Send what `insert_row` does; return what waits for it. Inside `pipelined`, others can be sent before that."""
    compiled, parameters = _statement(row, ())
    cursor = connection.cursor()
    send(cursor, compiled.sql, parameters)
    return partial(_take_over, cursor, row, compiled)


def _take_over(cursor: CursorWrapper, row: models.Model, compiled: _Compiled) -> None:
    with cursor:
        given = converted(cursor.fetchone(), compiled.converters)
    for field, value in zip(compiled.returned, given, strict=True):
        setattr(row, field.attname, value)
    row._state.adding, row._state.db = False, connection.alias


def insert_unless_stored(row: models.Model, unique: tuple[str, ...]) -> None:
    """Store a new row unless there is one with the same values in the `unique` columns. The row isn't told its key.

    Raises IntegrityError when it breaks another rule; inside `pipelined`, perhaps later.
    """
    compiled, parameters = _statement(row, unique)
    with connection.cursor() as cursor:
        send(cursor, compiled.sql, parameters)


def _statement(row: models.Model, unique: tuple[str, ...]) -> tuple[_Compiled, list[Any]]:
    stated = [(field, field.pre_save(row, add=True)) for field in _fields(type(row))]
    form = tuple(_form_of(value) for _, value in stated)
    is_kept = all(is_for_every_row(part) for part in form)
    compiled = (_compile if is_kept else _compile.__wrapped__)(type(row), form, unique, connection.vendor)
    values = [
        field.get_db_prep_save(value, connection)
        for (field, value), part in zip(stated, form, strict=True)
        if part is None
    ]
    return compiled, filled(compiled.parameters, values)


def _form_of(value: object) -> Part:
    return DatabaseDefault if isinstance(value, DatabaseDefault) else part_of(value)


@lru_cache
def _fields(model: type[models.Model]) -> "Sequence[AnyField]":
    """Return the columns that a new row may state."""
    fields = model._meta.local_concrete_fields
    return [field for field in fields if not field.generated and not isinstance(field, models.AutoField)]


@lru_cache(maxsize=128)
def _compile(model: type[models.Model], form: Form, unique: tuple[str, ...], _vendor: str) -> _Compiled:
    fields = _fields(model)
    places = iter(range(len(fields)))
    values: dict[str, Any] = {}
    for field, part in zip(fields, form, strict=True):
        if part is not DatabaseDefault:
            value = models.Value(Place(next(places))) if part is None else part
            values[field.attname] = Now() if part is Now else value
    query = InsertQuery(model)
    stated = [field for field in fields if field.attname in values]
    query.insert_values(stated, [model(**values)], raw=True)
    compiler = query.get_compiler(connection=connection)
    # what is stated as a value is in the row already
    is_value = {field.attname for field, part in zip(fields, form, strict=True) if part is None}
    returned = [field for field in model._meta.local_concrete_fields if field.attname not in is_value]
    compiler.returning_fields = [] if unique else returned
    [(sql, parameters)] = compiler.as_sql()
    if unique:
        columns = (connection.ops.quote_name(field_of(model, name).column or "") for name in unique)
        # not "OR IGNORE", by which SQLite ignores what breaks another rule too
        sql = f"{sql} ON CONFLICT ({', '.join(columns)}) DO NOTHING"
    converters = compiler.get_converters([field.get_col(model._meta.db_table) for field in returned])
    return _Compiled(sql, parameters, returned, converters)
