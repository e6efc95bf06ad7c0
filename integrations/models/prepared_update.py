"""Changes of rows by one statement, each form of which is compiled once for each kind of database."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from django.db.models.expressions import Combinable, DatabaseDefault
from django.db.models.functions import Now
from django.db.models.sql import UpdateQuery

from integrations.models.pipeline import send
from integrations.models.prepared import Converters, Place, converted, filled

if TYPE_CHECKING:
    type AnyField = models.Field[Any, Any]

#: What is part of a statement: expressions, and what `__in` and `__isnull` are given. Any other value, here None, has a
#: place in it.
type Part = tuple[object, ...] | bool | Combinable | type[Now | DatabaseDefault] | None
type Form = tuple[tuple[str, Part], ...]


class _Compiled(NamedTuple):
    sql: str
    parameters: Sequence[object]
    changed: "Sequence[AnyField]"


def change_rows(model: type[models.Model], where: Mapping[str, object], changes: Mapping[str, object]) -> int:
    """Change the rows that fit `where`; return how many.

    `where` holds a value by column, a tuple of those that fit by `column__in`, or a bool by `column__isnull`.
    """
    compiled, parameters = _statement(model, where, changes, returns=False)
    with connection.cursor() as cursor:
        cursor.execute(compiled.sql, parameters)
        return int(cursor.rowcount)


def send_change(
    model: type[models.Model], where: Mapping[str, object], changes: Mapping[str, object]
) -> None:
    """Change the rows that fit `where`, as `change_rows` does; inside `pipelined` without waiting for it."""
    compiled, parameters = _statement(model, where, changes, returns=False)
    with connection.cursor() as cursor:
        send(cursor, compiled.sql, parameters)


def changed_row[Row: models.Model](
    model: type[Row], where: Mapping[str, object], changes: Mapping[str, object]
) -> Row | None:
    """Change the one row that fits `where`, and return it as it is then; None when no row fits."""
    compiled, parameters = _statement(model, where, changes, returns=True)
    return next(iter(rows_returned(model, compiled.sql, parameters)), None)


def rows_returned[Row: models.Model](model: type[Row], sql: str, parameters: Sequence[Any]) -> list[Row]:
    """Execute a statement that returns all columns of the model's rows; return the rows."""
    names, converters = _columns(model, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    return [model.from_db(connection.alias, names, converted(row, converters)) for row in rows]


@cache
def _columns(model: type[models.Model], _vendor: str) -> tuple[Sequence[str], Converters]:
    """Return the names of the model's columns, and what makes Python's values of them."""
    fields = model._meta.concrete_fields
    columns = [field.get_col(model._meta.db_table) for field in fields]
    compiler = models.QuerySet(model).query.get_compiler(connection=connection)
    return [field.attname for field in fields], compiler.get_converters(columns)


def _statement(
    model: type[models.Model], where: Mapping[str, object], changes: Mapping[str, object], *, returns: bool
) -> tuple[_Compiled, list[Any]]:
    new = tuple((name, part_of(value)) for name, value in changes.items())
    found = tuple(
        (name, value if isinstance(value, (tuple, bool)) else None) for name, value in where.items()
    )
    is_kept = all(is_for_every_row(part) for _, part in new)
    compiled = (_compile if is_kept else _compile.__wrapped__)(model, found, new, returns, connection.vendor)
    values = [value for (_, part), value in zip(new, changes.values(), strict=True) if part is None]
    prepared = [_prepared(field, value) for field, value in zip(compiled.changed, values, strict=True)]
    values = [value for (_, part), value in zip(found, where.values(), strict=True) if part is None]
    return compiled, filled(compiled.parameters, (*prepared, *values))


def part_of(value: object) -> Part:
    """Return what of a value is part of the statement; None when the value has a place in it."""
    if isinstance(value, Now):
        return Now  # not the object: equal ones are slow to tell
    return value if isinstance(value, Combinable) else None


def is_for_every_row(part: Part) -> bool:
    """Whether a statement with this part is worth keeping.

    An expression with values of its own, such as a time to come, would fill a cache with statements for one use.
    """
    return not isinstance(part, Combinable) or isinstance(part, models.F)


def _prepared(field: "AnyField", value: object) -> object:
    return field.get_db_prep_save(value.pk if isinstance(value, models.Model) else value, connection)


def field_of(model: type[models.Model], name: str) -> "AnyField":
    """Return the model's column of this name. Raises FieldDoesNotExist."""
    field = model._meta.get_field(name)
    if not isinstance(field, models.Field):
        raise FieldDoesNotExist(name)
    return field


@lru_cache(maxsize=256)
def _compile(model: type[models.Model], where: Form, changes: Form, returns: bool, _vendor: str) -> _Compiled:
    places = iter(range(len(where) + len(changes)))

    def expression(part: Part) -> object:
        if part is None:
            return models.Value(Place(next(places)))
        return Now() if part is Now else part

    query = UpdateQuery(model)
    query.add_update_values({name: expression(part) for name, part in changes})
    query.add_q(models.Q(**{name: expression(part) for name, part in where}))
    compiler = query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    if returns:
        # named: a prepared `*` fails for the connection's life once a migration has added a column
        columns = (connection.ops.quote_name(field.column or "") for field in model._meta.concrete_fields)
        sql = f"{sql} RETURNING {', '.join(columns)}"
    return _Compiled(sql, parameters, [field_of(model, name) for name, part in changes if part is None])
