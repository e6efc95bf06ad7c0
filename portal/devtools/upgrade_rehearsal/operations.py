"""Operations that let a portal serve on PostgreSQL, and are the plain ones on SQLite, where one process writes."""

from typing import Any

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    ValidateConstraint,
)
from django.db.migrations import AddConstraint, AddIndex


def _is_sqlite(schema_editor: Any) -> bool:
    return bool(schema_editor.connection.vendor == "sqlite")


class AddConstraintUnchecked(AddConstraintNotValid):
    """Adds a constraint for new rows; a migration of its own checks the old ones."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Add it."""
        plain = AddConstraint if _is_sqlite(schema_editor) else AddConstraintNotValid
        plain.database_forwards(self, app_label, schema_editor, from_state, to_state)


class CheckConstraintBesideWrites(ValidateConstraint):
    """Checks the old rows."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Check them; SQLite has done it."""
        if not _is_sqlite(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddIndexBesideWrites(AddIndexConcurrently):
    """Builds an index while others write. One that was cut off is there, invalid, and is removed first."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Build it."""
        if _is_sqlite(schema_editor):
            AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
        else:
            schema_editor.execute(
                f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.index.name)}"
            )
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Remove it."""
        plain = AddIndex if _is_sqlite(schema_editor) else AddIndexConcurrently
        plain.database_backwards(self, app_label, schema_editor, from_state, to_state)
