"""An index for searching any part of texts, in upper or lower case."""

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models.sql import Query

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
        """Return the statement that removes the index where there is one."""
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
