"""Columns, indexes and constraints in short forms, and what is said of people in them.

The data inventory, erasure, retention and the answer to a candidate who asks read what a column says of people.
`tests/privacy/test_data_inventory.py` fails for a column of text that says nothing. Columns whose values are choices,
and encrypted ones, need not: they hold codes and secrets.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models.expressions import Combinable
from django.db.models.sql import Query

if TYPE_CHECKING:
    type OptionalTime = models.DateTimeField[datetime | Combinable | None, datetime | None]


UNTIL_ERASED = "until it is erased, at the latest after `retention_days`; ids, times and codes stay"
WITH_ORGANIZATION = "as long as the organization"
WITH_ACCOUNT = "as long as the account"
AS_LISTED = "as long as the platform lists it, and afterwards marked gone"


@dataclass(frozen=True)
class Holds:
    """What a table holds and how long its rows live: the attribute `HOLDS` of its model."""

    what: str
    lives: str
    #: The lookup from a row to the id of its opportunity, in a table with candidates' data; empty where rows belong to
    #: none.
    opportunity: str = ""


@dataclass(frozen=True)
class Personal:
    """What a column tells of a candidate, and of the people who use the portal; neither, in a harmless one."""

    candidate: str = ""
    user: str = ""


def personal(column: Any) -> Personal | None:
    """Return what was said of a column of a model; None where nothing was."""
    return getattr(column, "personal", None)


def about_candidate[Column: models.Field[Any, Any]](what: str, column: Column) -> Column:
    """Return the column, which tells this of a candidate: erasure empties it."""
    return _said(column, candidate=what)


def about_user[Column: models.Field[Any, Any]](what: str, column: Column) -> Column:
    """Return the column, which tells this of somebody who uses the portal."""
    return _said(column, user=what)


def harmless[Column: models.Field[Any, Any]](column: Column) -> Column:
    """Return the column: ids, codes, hashes, and names of the customer's roles, stages and assessments."""
    return _said(column)


def _said[Column: models.Field[Any, Any]](column: Column, **said: str) -> Column:
    column.personal = replace(personal(column) or Personal(), **said)  # type: ignore[attr-defined]
    return column


#: As many characters as the columns have that keep such a key.
KEY_LENGTH = 300
DIGEST_LENGTH = 64


def truncated_key(key: str) -> str:
    """Return the key, or its beginning with a digest when it is too long: keys that were only cut could collide."""
    if len(key) <= KEY_LENGTH:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: KEY_LENGTH - DIGEST_LENGTH - 1]}:{digest}"


def moment(help_text: str = "", **options: Any) -> "OptionalTime":
    """Return a column with a time, or null where there is none."""
    return models.DateTimeField(null=True, blank=True, help_text=help_text, **options)


def one_of(name: str, column: str, values: Iterable[str]) -> models.CheckConstraint:
    """Return a constraint: the column holds one of these values."""
    return models.CheckConstraint(
        condition=models.Q((f"{column}__in", [str(value) for value in values])), name=name
    )


def index_of_set(name: str, *fields: str) -> models.Index:
    """Return an index of the rows in which the column, the last of the fields, isn't null."""
    return models.Index(fields=fields, name=name, condition=models.Q((f"{fields[-1]}__isnull", False)))


_CREATE = """
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX "{name}" ON %(table)s USING gin ({columns}){condition};
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
    RAISE NOTICE 'Without the extension pg_trgm, searches read the rows: %%', SQLERRM;
END $$
"""


class TextSearchIndex(models.Index):
    """A trigram index, which serves Django's `icontains` and `istartswith` for terms of three letters and more.

    PostgreSQL alone has it, by an extension that a database's owner may create. A server without it, and SQLite, read
    the rows instead: the search finds the same, but takes longer among very many.
    """

    def create_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor, **kwargs: Any) -> Statement:  # type: ignore[override]
        """Return the statement that makes the index; one that does nothing where there is no such index."""
        if schema_editor.connection.vendor != "postgresql":
            return self._statement("SELECT 1", model, schema_editor)
        columns = (model._meta.get_field(name).column for name in self.fields)
        terms = ", ".join(f'upper("{column}") gin_trgm_ops' for column in columns)
        sql = _CREATE.format(name=self.name, columns=terms, condition=self._where(model, schema_editor))
        return self._statement(sql, model, schema_editor)

    def remove_sql(self, model: Any, schema_editor: BaseDatabaseSchemaEditor, **kwargs: Any) -> Statement:  # type: ignore[override]
        return self._statement(f'DROP INDEX IF EXISTS "{self.name}"', model, schema_editor)

    def _where(self, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> str:
        """Return the index's condition as SQL, empty without one."""
        if self.condition is None:
            return ""
        query = Query(model, alias_cols=False)
        compiler = query.get_compiler(connection=schema_editor.connection)
        sql, values = query.build_where(self.condition).as_sql(compiler, schema_editor.connection)
        condition = sql % tuple(schema_editor.quote_value(value) for value in values)
        return f" WHERE {condition}".replace("%", "%%")

    @staticmethod
    def _statement(sql: str, model: Any, schema_editor: BaseDatabaseSchemaEditor) -> Statement:
        return Statement(sql, table=Table(model._meta.db_table, schema_editor.quote_name))
