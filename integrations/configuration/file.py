"""A configuration file: read it, print and apply what it would change, and write the one that would change nothing."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.configuration.section import (
    Change,
    Configuration,
    ConfigurationError,
    Key,
    Section,
    Table,
    closest,
    literal,
)
from integrations.configuration.sections import SECTIONS
from integrations.core.vocabulary import ActionNotAllowed
from integrations.notifications.link_emails import choose_password_link
from integrations.organizations.models.organization import Organization

TYPE_NAMES = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "whole numbers in brackets",
    dict: "a table in braces",
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
        raise ConfigurationError(f"{name} must be written {section.heading}, once for each.")
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
        raise ConfigurationError(f"{path} must be a table: write {section.heading} and its keys below.")
    _refuse_unknown(path, table, section.keys)
    for name, key in section.keys.items():
        if key.is_required and name not in table:
            raise ConfigurationError(f"{path}.{name} is missing.")
    for name, value in table.items():
        _check(f"{path}.{name}", value, section.keys[name])
    read = {
        name: value.strip() if section.keys[name].is_stripped and isinstance(value, str) else value
        for name, value in table.items()
    }
    read |= {name: None for name, value in table.items() if value == "" and section.keys[name].can_be_null}
    if section.check:
        section.check(path, read)
    return read


def _check(path: str, value: object, key: Key) -> None:
    if value == "" and key.can_be_null:
        return
    if type(value) is not key.value_type:
        found = FOUND_NAMES.get(type(value), "a date or time")
        raise ConfigurationError(f"{path} must be {TYPE_NAMES[key.value_type]}, not {found}.")
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


@dataclass(frozen=True)
class Plan:
    """The difference between a file and the stored rows of one organization, which may be new."""

    organization: Organization
    changes: Sequence[Change]

    @property
    def lines(self) -> list[str]:
        """The whole difference; empty when there is none."""
        return [line for change in self.changes for line in change.lines]

    def apply(self) -> None:
        """Store every change, in one transaction. Raises ConfigurationError."""
        with transaction.atomic():
            if self.organization.pk is not None:
                # in the order of a worker that decides: the organization first, then the end of the log, which every
                # audit entry locks until the commit. In another order the two could wait for each other
                Organization.objects.lock(self.organization.pk)
            for change in self.changes:
                try:
                    change.apply()
                except ValidationError as error:
                    raise ConfigurationError(f"{change.path}: {' '.join(error.messages)}") from error
                except ActionNotAllowed as error:
                    raise ConfigurationError(f"{change.path}: {error}") from error

    def try_out(self) -> None:
        """Find out whether `apply` would work, and store nothing. Raises ConfigurationError."""
        with transaction.atomic():
            self.apply()
            transaction.set_rollback(True)


def compare(configuration: Configuration) -> Plan:
    """Return what the file would change, in the order in which it is applied. Raises ConfigurationError."""
    stored = Organization.objects.filter(slug=configuration.slug).first()
    organization = stored or Organization(slug=configuration.slug)
    changes = [change for section in SECTIONS for change in section.changes(configuration, organization)]
    return Plan(organization, changes)


def dump(organization: Organization) -> str:
    """Return the organization's configuration file. Secrets are left out; comments name those that are set."""
    return "\n".join(_block(section, table) for section in SECTIONS for table in section.stored(organization))


def _block(section: Section, table: Table) -> str:
    lines = [section.heading]
    secrets = []
    for name, value in table.items():
        if not section.keys[name].is_secret:
            lines.append(f"{name} = {literal(value)}")
        elif value != "":  # a secret that can't be decrypted counts as set
            secrets.append(f"# {name} is set; secrets are left out")
    return "\n".join([*lines, *secrets]) + "\n"


def invitation_links(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yield each member of the file who has no password yet, with a link to choose one."""
    for table in configuration.tables["members"]:
        user = User.objects.filter(username=table["username"]).first()
        if user and not user.has_usable_password():
            yield user.username, choose_password_link(user)
