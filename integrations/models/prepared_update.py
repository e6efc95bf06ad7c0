"""Changes of rows by one statement, each form of which is compiled once for each kind of database."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.db.models.sql import UpdateQuery

from integrations.models.prepared import Converters, Place, converted, filled

if TYPE_CHECKING:
    type AnyField = models.Field[Any, Any]

#: What is part of a statement: expressions, and what `__in` and `__isnull` are given. Any other value, here None, has a
#: place in it.
type Part = tuple[object, ...] | bool | Combinable | type[Now] | None
type Form = tuple[tuple[str, Part], ...]


class _Compiled(NamedTuple):
    sql: str
    parameters: Sequence[object]
    changed: "Sequence[AnyField]"
    returned: Sequence[str]
    converters: Converters


def change_rows(model: type[models.Model], where: Mapping[str, object], changes: Mapping[str, object]) -> int:
    """Change the rows that fit `where`; return how many.

    `where` holds a value by column, a tuple of those that fit by `column__in`, or a bool by `column__isnull`.
    """
    compiled, parameters = _statement(model, where, changes, returns=False)
    with connection.cursor() as cursor:
        cursor.execute(compiled.sql, parameters)
        return int(cursor.rowcount)


def changed_row[Row: models.Model](
    model: type[Row], where: Mapping[str, object], changes: Mapping[str, object]
) -> Row | None:
    """Change the one row that fits `where`, and return it as it is then; None when no row fits."""
    compiled, parameters = _statement(model, where, changes, returns=True)
    with connection.cursor() as cursor:
        cursor.execute(compiled.sql, parameters)
        row = cursor.fetchone()
    if row is None:
        return None
    return model.from_db(connection.alias, compiled.returned, converted(row, compiled.converters))


def _statement(
    model: type[models.Model], where: Mapping[str, object], changes: Mapping[str, object], *, returns: bool
) -> tuple[_Compiled, list[Any]]:
    new = tuple((name, _part(value)) for name, value in changes.items())
    found = tuple(
        (name, value if isinstance(value, (tuple, bool)) else None) for name, value in where.items()
    )
    # an expression with values of its own, such as a time to come, would fill the cache with statements for one use
    is_kept = not any(isinstance(part, Combinable) and not isinstance(part, models.F) for _, part in new)
    compiled = (_compile if is_kept else _compile.__wrapped__)(model, found, new, returns, connection.vendor)
    values = [value for (_, part), value in zip(new, changes.values(), strict=True) if part is None]
    prepared = [_prepared(field, value) for field, value in zip(compiled.changed, values, strict=True)]
    values = [value for (_, part), value in zip(found, where.values(), strict=True) if part is None]
    return compiled, filled(compiled.parameters, (*prepared, *values))


def _part(value: object) -> Part:
    if isinstance(value, Now):
        return Now  # not the object: equal ones are slow to tell
    return value if isinstance(value, Combinable) else None


def _prepared(field: "AnyField", value: object) -> object:
    return field.get_db_prep_save(value.pk if isinstance(value, models.Model) else value, connection)


def _field(model: type[models.Model], name: str) -> "AnyField":
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
    columns = [field.get_col(model._meta.db_table) for field in model._meta.concrete_fields]
    if returns:
        sql = f"{sql} RETURNING {', '.join(column.as_sql(compiler, connection)[0] for column in columns)}"
    return _Compiled(
        sql,
        parameters,
        changed=[_field(model, name) for name, part in changes if part is None],
        returned=[column.target.attname for column in columns],
        converters=compiler.get_converters(columns),
    )
