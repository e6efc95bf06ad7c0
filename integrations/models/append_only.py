"""Rows that are only ever added: Django refuses to change or remove them."""

from typing import Any, NoReturn

from django.db import models


class AppendOnlyError(TypeError):
    """Somebody's code changes or removes a row that is only ever added."""


def refuse(model: type[models.Model], what: str) -> NoReturn:
    """Raise AppendOnlyError for the kind of row."""
    raise AppendOnlyError(f"{model._meta.verbose_name_plural} are append-only: {what} is refused.")


class AppendOnlyQuerySet[Row: models.Model](models.QuerySet[Row]):
    """Rows that can be read and added one by one."""

    def update(self, **_: Any) -> NoReturn:
        """Raise AppendOnlyError."""
        refuse(self.model, "update()")

    def delete(self) -> NoReturn:
        """Raise AppendOnlyError."""
        refuse(self.model, "delete()")

    def bulk_create(self, *_: Any, **__: Any) -> NoReturn:
        """Raise AppendOnlyError: each row is linked to the one before it."""
        refuse(self.model, "bulk_create()")

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        """Raise AppendOnlyError."""
        refuse(self.model, "bulk_update()")

    # what Django marks as changing data stays marked: templates and managers leave it out
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
        """Raise AppendOnlyError."""
        refuse(type(self), "delete()")
