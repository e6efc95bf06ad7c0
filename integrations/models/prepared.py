"""Queries that run for every row: built and compiled once for each kind of database, then run with their values.

To build a query and compile it takes Django several times as long as to run it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from inspect import signature
from typing import Any, NamedTuple

from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models.query import FlatValuesListIterable, ValuesListIterable, get_related_populators
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

from integrations.models.pipeline import send


class Place(NamedTuple):
    """Stands among a statement's parameters for a value that is given when it runs."""

    number: int


#: By column: the functions that turn what the database returns into what Python works with, and their expression.
type Converters = Mapping[int, tuple[Sequence[Callable[..., Any]], Any]]


#: Every query that was prepared, and how many values it takes at least.
_queries: list[tuple["PreparedQuery[Any, *tuple[Any, ...]]", int]] = []


class _Compiled(NamedTuple):
    sql: str
    parameters: Sequence[object]
    converters: Converters
    read: Callable[[list[Any]], Any]
    locks: bool


class PreparedQuery[Row, *Values]:
    """A query whose values are given when it runs."""

    def __init__(self, build: Callable[[*Values], models.QuerySet[Any, Row]]) -> None:
        self._build: Callable[..., models.QuerySet[Any, Row]] = build
        self._compiled: dict[tuple[str, int], _Compiled] = {}

    def all(self, *values: *Values) -> list[Row]:
        """Return the rows for these values."""
        return self.send(*values)()

    def send(self, *values: *Values) -> Callable[[], list[Row]]:
        """Send the query; return what fetches its rows. Inside `pipelined`, others can be sent before that."""
        key = (connection.vendor, len(values))
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiled[key] = self._compile(len(values))
        if compiled.locks and not connection.in_atomic_block:
            raise TransactionManagementError("A lock ends with its transaction, and there is none.")
        cursor = connection.cursor()
        send(cursor, compiled.sql, filled(compiled.parameters, values))
        return partial(_fetch, cursor, compiled)

    def first(self, *values: *Values) -> Row | None:
        """Return the first row for these values, None when there is none."""
        return next(iter(self.all(*values)), None)

    def exists(self, *values: *Values) -> bool:
        """Whether there is a row for these values."""
        return bool(self.all(*values))

    def _compile(self, count: int) -> _Compiled:
        rows = self._build(*(models.Value(Place(number)) for number in range(count)))
        compiler = rows.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        return _Compiled(sql, parameters, converters, _reader(rows, compiler), rows.query.select_for_update)


def prepared[Row, *Values](
    build: Callable[[*Values], models.QuerySet[Any, Row]],
) -> PreparedQuery[Row, *Values]:
    """Prepare the query that `build` returns.

    `build` is called once, with expressions that stand for the values: it passes them on and can't look at them. Rows
    are model instances, or what values_list() makes.
    """
    query = PreparedQuery(build)
    _queries.append((query, len(signature(build).parameters)))
    return query


def run_all_once() -> None:
    """Run every prepared query for values that no row has.

    The first row that needs one then doesn't wait until it is compiled, and PostgreSQL has read its catalog for it on
    this connection.
    """
    with transaction.atomic():  # some lock
        for query, count in _queries:
            query.all(*[None] * count)


def _fetch(cursor: CursorWrapper, compiled: _Compiled) -> list[Any]:
    with cursor:
        rows = cursor.fetchall()
    return [compiled.read(converted(row, compiled.converters)) for row in rows]


def _reader(rows: models.QuerySet[Any, Any], compiler: SQLCompiler) -> Callable[[list[Any]], Any]:
    kind = rows._iterable_class
    if kind is FlatValuesListIterable:
        return lambda row: row[0]
    if kind is ValuesListIterable:
        return tuple
    return _instance_reader(rows, compiler)


def _instance_reader(rows: models.QuerySet[Any, Any], compiler: SQLCompiler) -> Callable[[list[Any]], Any]:
    """Return what makes an instance of a row, with the related ones that select_related() has loaded."""
    selected = compiler.klass_info["select_fields"]
    names = [compiler.select[number][0].target.attname for number in selected]
    first, end = selected[0], selected[-1] + 1
    alias = connection.alias
    populators = get_related_populators(compiler.klass_info, compiler.select, alias, models.FETCH_ONE)

    def read(row: list[Any]) -> Any:
        instance = rows.model.from_db(alias, names, row[first:end])
        for populator in populators:
            populator.populate(row, instance)
        return instance

    return read


def filled(parameters: Sequence[object], values: Sequence[object]) -> list[Any]:
    """Return the parameters with the values in their places."""
    return [_adapted(values[one.number]) if isinstance(one, Place) else one for one in parameters]


def _adapted(value: object) -> object:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def converted(row: Sequence[Any], converters: Converters) -> list[Any]:
    """Return a row as the database gave it with each column as Python works with it."""
    values = list(row)
    for number, (functions, expression) in converters.items():
        for function in functions:
            values[number] = function(values[number], expression, connection)
    return values
