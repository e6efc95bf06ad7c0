"""Rows that are only ever added: triggers of the database refuse to change or remove them, and so does Django."""

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from django.db import models

from integrations.store.triggers import Triggers, column_of

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
