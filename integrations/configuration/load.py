"""Read a configuration file: every key known, every value of its type and in its range, or an error names the key."""

import tomllib
from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError

from integrations.configuration.section import (
    Configuration,
    ConfigurationError,
    Key,
    Section,
    Table,
    closest,
)
from integrations.configuration.sections import SECTIONS

TYPE_NAMES = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "three whole numbers in brackets",
}
#: What was written instead, for a message. Not the value: it may be a secret in the wrong place.
FOUND_NAMES = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number with a point",
    list: "an array",
    dict: "a table",
}


def load(text: str) -> Configuration:
    """Return the contents of a file. Raises ConfigurationError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"This is not TOML: {error}.") from error
    _refuse_unknown("", document, [section.name for section in SECTIONS])
    return Configuration({section.name: _section(section, document) for section in SECTIONS})


def _section(section: Section, document: Mapping[str, object]) -> list[Table]:
    name = section.name
    if not section.is_array:
        return [_table(section, name, document.get(name, {}))]
    tables = document.get(name, [])
    if not isinstance(tables, list):
        raise ConfigurationError(f"{name} must be written [[{name}]], once for each.")
    read = [_table(section, f"{name}[{number}]", table) for number, table in enumerate(tables, start=1)]
    seen: set[str] = set()
    for number, table in enumerate(read, start=1):
        value = section.name_of(table)
        if value in seen:
            raise ConfigurationError(f"{name}[{number}] repeats {value!r}: leave one of them.")
        seen.add(value)
    return read


def _table(section: Section, path: str, table: object) -> Table:
    """Return the table with every value checked. Errors name it by `path`."""
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path} must be a table: write [{path}] and its keys below.")
    _refuse_unknown(path, table, section.keys)
    for name, key in section.keys.items():
        if key.is_required and name not in table:
            raise ConfigurationError(f"{path}.{name} is missing.")
    for name, value in table.items():
        _check(f"{path}.{name}", value, section.keys[name])
    read = {name: value.strip() if section.keys[name].is_stripped else value for name, value in table.items()}
    if section.check:
        section.check(path, read)
    return read


def _check(path: str, value: object, key: Key) -> None:
    if type(value) is not key.value_type:
        found = FOUND_NAMES.get(type(value), "a date or time")
        raise ConfigurationError(
            f"{path} must be {key.type_name or TYPE_NAMES[key.value_type]}, not {found}."
        )
    if isinstance(value, str) and "\0" in value:
        raise ConfigurationError(f"{path} must not contain a NUL character.")
    if key.check:
        key.check(path, value)
    if isinstance(value, str) and not value.strip():
        if key.must_not_be_blank:
            raise ConfigurationError(f"{path} is empty: leave the key out instead.")
        if key.column is not None and not key.column.blank:
            raise ConfigurationError(f"{path} is empty.")
    if key.column is None:
        return
    try:
        key.column.clean(value, None)
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {' '.join(error.messages)}") from error


def _refuse_unknown(path: str, table: Iterable[str], known: Iterable[str]) -> None:
    for name in table:
        if name not in known:
            whole = f"{path}.{name}" if path else name
            raise ConfigurationError(f"Unknown key {whole}. {closest(name, known, 'Known here')}")
