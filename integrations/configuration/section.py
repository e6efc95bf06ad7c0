"""What an organization's file is made of: sections of keys, and the changes that a section asks for."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from typing import Any, cast

from django.db import models

from integrations.audit.models.entry import Actor
from integrations.organizations.models.organization import Organization

Value = str | int | bool | list[int] | dict[str, str]


def quoted(text: str) -> str:
    """Return text as a TOML basic string on one line, every character that doesn't print escaped."""
    as_json = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08X}" for one in as_json)


def literal(value: Value) -> str:
    """Return a value as TOML writes it; a table in the order of its keys, since PostgreSQL keeps no other."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{name} = {literal(inner)}" for name, inner in sorted(value.items()))
        return f"{{ {pairs} }}" if pairs else "{}"
    return str(value) if isinstance(value, int) else quoted(value)


#: The actor of these changes in the audit log: the command.
ACTOR = "configure"

#: A table of the file: it has only the keys that the file has.
type Table = dict[str, Any]


class ConfigurationError(Exception):
    """The file can't be used; the message names the key and what it should be."""


@dataclass(frozen=True)
class Key:
    """What a key may hold, where its value is stored, and whether that is a secret."""

    name: str
    value_type: type = str
    #: The column that the value is stored in as it is, with the column's rules.
    column: "models.Field[Any, Any] | None" = None
    is_required: bool = False
    is_secret: bool = False
    must_not_be_blank: bool = False
    is_stripped: bool = False
    #: Raises ConfigurationError for a value, given with its path, that isn't one for this key.
    check: Callable[[str, Any], None] | None = None
    #: Stores the value, where the key is stored without the rest of its table.
    save: Callable[[Organization, Any, Actor], object] | None = None
    #: The key that must be given or stored beside this one.
    needs: str = ""

    @property
    def can_be_null(self) -> bool:
        """Whether its column may hold nothing, which a file writes as an empty text."""
        return self.column is not None and self.column.null

    def line(self, subject: str, before: Any, after: Any) -> str:
        """Return the line of a change; of a secret it says only that it changes."""
        if self.is_secret and not after:
            return f"- {subject}: removed"
        if self.is_secret:
            return f"~ {subject}: changed" if before else added(subject, "set")
        if after is None:
            return f"- {subject}: {literal(before)}"
        if before is None or (before == "" and self.column is not None and not self.column.blank):
            return added(subject, literal(after))
        return f"~ {subject}: {literal(before)} → {literal(after)}"


def column(model: type[models.Model], name: str, **options: Any) -> Key:
    """Return the key whose value is stored in a column, with the column's type and rules."""
    stored = cast("models.Field[Any, Any]", model._meta.get_field(name))
    value_type: type = str
    if isinstance(stored, models.BooleanField):
        value_type = bool
    elif isinstance(stored, models.IntegerField):
        value_type = int
    elif isinstance(stored, models.JSONField) and isinstance(stored.get_default(), list):
        value_type = list
    elif isinstance(stored, models.JSONField):
        value_type = dict
    return Key(name, value_type, stored, **options)


def secret(name: str, *, can_be_removed: bool = False, **options: Any) -> Key:
    """Return the key of a secret; empty removes it where that is possible."""
    return Key(name, is_secret=True, must_not_be_blank=not can_be_removed, **{"is_stripped": True, **options})


def added(subject: str, value: str) -> str:
    """Return the line of a value that is new."""
    return f"+ {subject}: {value}"


@dataclass(frozen=True)
class Change:
    """One thing that the file would change of an organization."""

    #: The key of the file that errors are about.
    path: str
    #: The change as people read it, secrets left out.
    lines: Sequence[str]
    #: Stores it. Raises ValidationError and ActionNotAllowed.
    apply: Callable[[], object] = field(repr=False)


type Changes = Iterator[Change]


@dataclass(frozen=True)
class Configuration:
    """The contents of a file, by section: one table or, in an array, several."""

    tables: Mapping[str, Sequence[Table]] = field(repr=False)

    @property
    def slug(self) -> str:
        return str(self.tables["organization"][0]["slug"])


@dataclass(frozen=True)
class Section:
    """One table of the file, or an array of tables: what may be in it, what is stored, and what differs."""

    name: str
    keys: Mapping[str, Key]
    #: Returns the stored tables as the file would say them, with the secrets.
    stored: Callable[[Organization], Iterable[Table]]
    #: Yields what the file would change; without it each key is stored alone, if it has a way to. Raises
    #: ConfigurationError. The organization isn't stored yet when it is new.
    compare: Callable[[Configuration, Organization], Iterator[Change]] | None = None
    is_array: bool = False
    #: The keys by which a table of an array is told from the others.
    named_by: tuple[str, ...] = ()
    #: Raises ConfigurationError for a table, given with its path, whose values don't go together.
    check: Callable[[str, Table], None] | None = None

    @property
    def heading(self) -> str:
        """How the table begins in the file."""
        return f"[[{self.name}]]" if self.is_array else f"[{self.name}]"

    def name_of(self, table: Table) -> str:
        """Return what tells a table from the others of its array."""
        if len(self.named_by) == 1:
            return str(table[self.named_by[0]])
        return ", ".join(f"{key} {table[key]}" for key in self.named_by if table.get(key))

    def changes(self, file: Configuration, organization: Organization) -> Iterator[Change]:
        """Yield what the file would change. Raises ConfigurationError."""
        if self.compare:
            yield from self.compare(file, organization)
            return
        (before,), (wanted,) = self.stored(organization), file.tables[self.name]
        yield from changes_of_keys(self.name, self.keys, before, wanted, organization)


def changes_of_keys(
    section: str, known: Mapping[str, Key], before: Table, wanted: Table, organization: Organization
) -> Iterator[Change]:
    """Yield what a table whose keys are stored one at a time would change. Raises ConfigurationError."""
    for name, value in differing(known, before, wanted).items():
        key, path = known[name], f"{section}.{name}"
        if key.needs and not (wanted.get(key.needs) or before[key.needs]):
            raise ConfigurationError(f"{path} needs a {section}.{key.needs} beside it.")
        if key.save is not None:
            save = partial(key.save, organization, value, ACTOR)
            yield Change(path, [key.line(path, before[name], value)], save)


def keys(*given: Key) -> dict[str, Key]:
    """Return the keys by name."""
    return {key.name: key for key in given}


def table_of(known: Mapping[str, Key], row: models.Model) -> Table:
    """Return a row as a table of these keys."""
    return {name: getattr(row, name) for name in known}


def differing(known: Mapping[str, Key], before: Table, wanted: Table) -> Table:
    """Return what a table of the file would change, in the order of the keys."""
    return {name: wanted[name] for name in known if name in wanted and wanted[name] != before.get(name)}


def closest(name: str, known: Iterable[str], introduction: str) -> str:
    """Return the sentence that helps after an unknown name: the one that is most like it, else all."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"Did you mean {close[0]}?" if close else f"{introduction}: {', '.join(known)}."
