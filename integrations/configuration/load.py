"""Text → Configuration: every key known, every value of its type and in its range, or an error that names the key."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, cast

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models

from integrations.models import Membership, Organization, RoleMapping
from integrations.workflow.operations.policies import POLICIES
from integrations.workflow.rules.mapping_index import MappingRule


class ConfigurationError(Exception):
    """The file can't be used; the message names the key and what it should be."""


@dataclass(frozen=True)
class Member:
    """One person of the file; what is empty the file doesn't say."""

    username: str
    role: str
    email: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Configuration:
    """What a file says; what it leaves out isn't in here."""

    slug: str
    organization: dict[str, str]
    policies: dict[str, Any]
    lever: dict[str, str] = field(repr=False)
    codescreen: dict[str, Any] = field(repr=False)
    members: tuple[Member, ...]
    mappings: tuple[MappingRule, ...]


@dataclass(frozen=True)
class Key:
    """What a key may hold: a type, and the column whose rules it obeys."""

    kind: type
    column: "models.Field[Any, Any] | None" = None
    is_required: bool = False
    is_filled: bool = False


def _of(model: type[models.Model], name: str, is_required: bool = False) -> Key:
    column = cast("models.Field[Any, Any]", model._meta.get_field(name))
    kinds = {models.BooleanField: bool, models.IntegerField: int}
    kind: type = next((kind for column_type, kind in kinds.items() if isinstance(column, column_type)), str)
    return Key(kind, column, is_required)


ORGANIZATION = {
    "name": _of(Organization, "name"),
    "slug": _of(Organization, "slug", is_required=True),
    "webhook_key": _of(Organization, "webhook_key"),
    "stage_prefix": _of(Organization, "stage_prefix"),
}
MEMBER = {
    "username": _of(User, "username", is_required=True),
    "email": _of(User, "email"),
    "role": _of(Membership, "role", is_required=True),
    "password": Key(str, is_filled=True),
}
POLICY = {name: _of(Organization, name) for name in POLICIES if name != "stage_prefix"}
LEVER = {"signature_token": Key(str, is_filled=True), "previous_signature_token": Key(str)}
CODESCREEN = {"api_key": Key(str, is_filled=True), "webhook_secret": Key(str), "idempotency": Key(bool)}
MAPPING = {
    "role": _of(RoleMapping, "role", is_required=True),
    "stage": _of(RoleMapping, "stage"),
    "assessment": _of(RoleMapping, "assessment", is_required=True),
}
TABLES = {"organization": ORGANIZATION, "policies": POLICY, "lever": LEVER, "codescreen": CODESCREEN}
ARRAYS = {"members": MEMBER, "mappings": MAPPING}
WORDS = {str: "text in quotes", int: "a whole number", bool: "true or false"}


def read(text: str) -> Configuration:
    """Return what the file says. Raises ConfigurationError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"This is not TOML: {error}.") from error
    _refuse_unknown("", document, {**TABLES, **ARRAYS})
    tables = {name: _table(name, document.get(name, {}), keys) for name, keys in TABLES.items()}
    arrays = {name: _array(name, document.get(name, []), keys) for name, keys in ARRAYS.items()}
    organization = tables["organization"]
    slug = organization.pop("slug")
    members = tuple(Member(**row) for row in arrays["members"])
    mappings = tuple(
        MappingRule(row["role"], row.get("stage", ""), row["assessment"]) for row in arrays["mappings"]
    )
    _refuse_repeats("members", [member.username for member in members])
    _refuse_repeats("mappings", [f"{mapping.role} × {mapping.stage}" for mapping in mappings])
    return Configuration(
        slug, organization, tables["policies"], tables["lever"], tables["codescreen"], members, mappings
    )


def _array(name: str, rows: Any, keys: Mapping[str, Key]) -> list[dict[str, Any]]:
    if not isinstance(rows, list):
        raise ConfigurationError(f"{name} must be written [[{name}]], once for each.")
    return [_table(f"{name}[{number}]", row, keys) for number, row in enumerate(rows, start=1)]


def _table(path: str, table: Any, keys: Mapping[str, Key]) -> dict[str, Any]:
    """Return the table with every value checked; `path` is what errors call it, counted from 1 in an array."""
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path} must be a table: write [{path}] and its keys below.")
    _refuse_unknown(path, table, keys)
    for name, key in keys.items():
        if key.is_required and name not in table:
            raise ConfigurationError(f"{path}.{name} is missing.")
    for name, value in table.items():
        _check(f"{path}.{name}", value, keys[name])
    return dict(table)


def _check(path: str, value: Any, key: Key) -> None:
    if type(value) is not key.kind:
        raise ConfigurationError(f"{path} must be {WORDS[key.kind]}, not {_shown(value)}.")
    if isinstance(value, str):
        _check_text(path, value, key)
    if key.column is None:
        return
    try:
        key.column.clean(value, None)
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {' '.join(error.messages)}") from error


def _check_text(path: str, value: str, key: Key) -> None:
    if "\0" in value:
        raise ConfigurationError(f"{path} must not contain a NUL character.")
    if key is MEMBER["role"]:
        _refuse_unknown_role(path, value)
    if key.is_filled and not value.strip():
        raise ConfigurationError(f"{path} is empty: leave the key out instead.")
    if key.column is not None and not key.column.blank and not value.strip():
        raise ConfigurationError(f"{path} is empty.")


def _shown(value: Any) -> str:
    """Return a value of the wrong type for a message: its kind, since it may be a secret in the wrong place."""
    kinds = {
        str: "text",
        bool: "true or false",
        int: "a number",
        float: "a number with a point",
        list: "an array",
    }
    return kinds.get(type(value), "a table" if isinstance(value, dict) else "a date or time")


def _refuse_unknown(path: str, table: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for name in table:
        if name in known:
            continue
        close = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}."
        raise ConfigurationError(f"Unknown key {f'{path}.{name}' if path else name}. {hint}")


def _refuse_unknown_role(path: str, value: str) -> None:
    if value in Membership.Role.values:
        return
    close = get_close_matches(value.lower().replace(" ", "_"), Membership.Role.values, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]}?" if close else f"Known are: {', '.join(Membership.Role.values)}."
    raise ConfigurationError(f"{path} is no role: {value!r}. {hint}")


def _refuse_repeats(name: str, values: list[str]) -> None:
    seen: set[str] = set()
    for number, value in enumerate(values, start=1):
        if value in seen:
            raise ConfigurationError(f"{name}[{number}] repeats {value!r}: leave one of them.")
        seen.add(value)
