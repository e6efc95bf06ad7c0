"""Read a configuration file: every key known, every value of its type and in its range, or an error names the key."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models

from integrations.configuration.contents import (
    AlertTable,
    AssessmentSettings,
    CodeScreenTable,
    Configuration,
    LeverTable,
    Member,
    SingleSignOnTable,
)
from integrations.models import (
    AlertAddress,
    IdentityProvider,
    Membership,
    Organization,
    RatingThresholds,
    RoleMapping,
)
from integrations.models.organization import POLICIES
from integrations.workflow.rules.mapping_index import MappingRule


class ConfigurationError(Exception):
    """The file can't be used; the message names the key and what it should be."""


@dataclass(frozen=True)
class Key:
    """What a key may hold: a type, and the rules of a column where it is stored in one."""

    value_type: type
    column: "models.Field[Any, Any] | None" = None
    is_required: bool = False
    must_not_be_blank: bool = False
    type_name: str = ""


def _column_key(model: type[models.Model], name: str, is_required: bool = False) -> Key:
    column = cast("models.Field[Any, Any]", model._meta.get_field(name))
    value_type: type = str
    if isinstance(column, models.BooleanField):
        value_type = bool
    elif isinstance(column, models.IntegerField):
        value_type = int
    return Key(value_type, column, is_required)


ORGANIZATION = {
    "name": _column_key(Organization, "name"),
    "slug": _column_key(Organization, "slug", is_required=True),
    "webhook_key": _column_key(Organization, "webhook_key"),
    "stage_prefix": _column_key(Organization, "stage_prefix"),
}
MEMBER = {
    "username": _column_key(User, "username", is_required=True),
    "email": _column_key(User, "email"),
    "role": _column_key(Membership, "role", is_required=True),
    "password": Key(str, must_not_be_blank=True),
}
POLICY = {name: _column_key(Organization, name) for name in POLICIES if name != "stage_prefix"}
LEVER = {"signature_token": Key(str, must_not_be_blank=True), "previous_signature_token": Key(str)}
CODESCREEN = {
    "api_key": Key(str, must_not_be_blank=True),
    "webhook_secret": Key(str),
    "idempotency": Key(bool),
}
SINGLE_SIGN_ON = {
    "issuer": _column_key(IdentityProvider, "issuer"),
    "client_id": _column_key(IdentityProvider, "client_id"),
    "client_secret": Key(str, must_not_be_blank=True),
    "counts_as_second_factor": Key(bool),
    "domains": Key(list, type_name="texts in brackets"),
}
MAPPING = {
    "role": _column_key(RoleMapping, "role", is_required=True),
    "stage": _column_key(RoleMapping, "stage"),
    "assessment": _column_key(RoleMapping, "assessment", is_required=True),
}
ASSESSMENT = {
    "name": _column_key(RatingThresholds, "assessment", is_required=True),
    "rating_thresholds": Key(list, is_required=True),
}
ALERT = {
    "name": _column_key(AlertAddress, "name", is_required=True),
    "kind": _column_key(AlertAddress, "kind"),
    "url": Key(str, must_not_be_blank=True),
    "secret": Key(str, must_not_be_blank=True),
    "on": Key(bool),
    "results": Key(bool),
    "held": Key(bool),
    "incidents": Key(bool),
}
TABLES = {
    "organization": ORGANIZATION,
    "policies": POLICY,
    "lever": LEVER,
    "codescreen": CODESCREEN,
    "single_sign_on": SINGLE_SIGN_ON,
}
ARRAYS = {"members": MEMBER, "mappings": MAPPING, "assessments": ASSESSMENT, "alerts": ALERT}
TYPE_NAMES = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "three whole numbers in brackets",
}


def load(text: str) -> Configuration:
    """Return the contents of a file. Raises ConfigurationError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"This is not TOML: {error}.") from error
    _refuse_unknown("", document, {**TABLES, **ARRAYS})
    tables = {name: _table(name, document.get(name, {}), keys) for name, keys in TABLES.items()}
    arrays = {name: _array(name, document.get(name, []), keys) for name, keys in ARRAYS.items()}
    organization = tables["organization"]
    slug = organization.pop("slug")
    members = tuple(Member(**member) for member in arrays["members"])
    _refuse_weak_passwords(members)
    mappings = tuple(
        MappingRule(mapping["role"], mapping.get("stage", ""), mapping["assessment"])
        for mapping in arrays["mappings"]
    )
    assessments = tuple(
        _assessment(f"assessments[{number}]", table) for number, table in enumerate(arrays["assessments"], 1)
    )
    _refuse_repeats("assessments", [assessment.name for assessment in assessments])
    _refuse_repeats("members", [member.username for member in members])
    _refuse_repeats("alerts", [alert["name"].strip() for alert in arrays["alerts"]])
    _refuse_repeats("mappings", [f"{mapping.role} × {mapping.stage}" for mapping in mappings])
    return Configuration(
        slug,
        organization,
        tables["policies"],
        cast(LeverTable, tables["lever"]),
        cast(CodeScreenTable, tables["codescreen"]),
        cast(SingleSignOnTable, tables["single_sign_on"]),
        members,
        mappings,
        assessments,
        tuple(cast(AlertTable, alert) for alert in arrays["alerts"]),
    )


def _assessment(path: str, table: dict[str, Any]) -> AssessmentSettings:
    values = table["rating_thresholds"]
    if not values:
        return AssessmentSettings(table["name"].strip(), None)
    if len(values) != 3 or any(type(value) is not int or not 0 <= value <= 100 for value in values):
        raise ConfigurationError(
            f"{path}.rating_thresholds must be the lowest scores for the ratings 2, 3 and 4, such as [25, 50, 75]; "
            "[] leaves them to the policies."
        )
    if values != sorted(values):
        raise ConfigurationError(f"{path}.rating_thresholds must rise from 2 to 4.")
    return AssessmentSettings(table["name"].strip(), (values[0], values[1], values[2]))


def _array(name: str, tables: object, keys: Mapping[str, Key]) -> list[dict[str, Any]]:
    if not isinstance(tables, list):
        raise ConfigurationError(f"{name} must be written [[{name}]], once for each.")
    return [_table(f"{name}[{number}]", table, keys) for number, table in enumerate(tables, start=1)]


def _table(path: str, table: object, keys: Mapping[str, Key]) -> dict[str, Any]:
    """Return the table with every value checked. Errors name it by `path`."""
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path} must be a table: write [{path}] and its keys below.")
    _refuse_unknown(path, table, keys)
    for name, key in keys.items():
        if key.is_required and name not in table:
            raise ConfigurationError(f"{path}.{name} is missing.")
    for name, value in table.items():
        _check(f"{path}.{name}", value, keys[name])
    return dict(table)


def _check(path: str, value: object, key: Key) -> None:
    if type(value) is not key.value_type:
        raise ConfigurationError(
            f"{path} must be {key.type_name or TYPE_NAMES[key.value_type]}, not {_type_name(value)}."
        )
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
    if key.must_not_be_blank and not value.strip():
        raise ConfigurationError(f"{path} is empty: leave the key out instead.")
    if key.column is not None and not key.column.blank and not value.strip():
        raise ConfigurationError(f"{path} is empty.")


def _type_name(value: object) -> str:
    """Return the type of a value, for a message. Not the value: it may be a secret in the wrong place."""
    names = {
        str: "text",
        bool: "true or false",
        int: "a number",
        float: "a number with a point",
        list: "an array",
    }
    return names.get(type(value), "a table" if isinstance(value, dict) else "a date or time")


def _refuse_unknown(path: str, table: Iterable[str], known: Mapping[str, object]) -> None:
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


def _refuse_weak_passwords(members: Iterable[Member]) -> None:
    """Raise ConfigurationError for a password that nobody might choose on a page either; it isn't repeated."""
    for number, member in enumerate(members, start=1):
        if not member.password:
            continue
        try:
            validate_password(member.password, User(username=member.username, email=member.email))
        except ValidationError as error:
            raise ConfigurationError(
                f"members[{number}].password: {' '.join(error.messages)} "
                "Or leave the key out: then a link to choose one is printed."
            ) from error


def _refuse_repeats(name: str, values: list[str]) -> None:
    seen: set[str] = set()
    for number, value in enumerate(values, start=1):
        if value in seen:
            raise ConfigurationError(f"{name}[{number}] repeats {value!r}: leave one of them.")
        seen.add(value)
