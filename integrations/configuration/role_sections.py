"""The section of a file about roles: mappings, with their own rules."""

from collections.abc import Iterator
from functools import partial

from integrations.catalog import acts
from integrations.catalog.acts import PLACE
from integrations.catalog.models.role_mapping import CATEGORY_COLUMNS, NO_RULE, RoleMapping
from integrations.configuration.section import (
    ACTOR,
    Change,
    Changes,
    Configuration,
    ConfigurationError,
    Section,
    Table,
    column,
    differing,
    keys,
    quoted,
    table_of,
)
from integrations.organizations.models.organization import Organization

_MAPPING = keys(*(column(RoleMapping, name, is_required=name == "assessment") for name in acts.MAPPINGS.told))


def _check_mapping(path: str, table: Table) -> None:
    has_role = bool(table.get("role", "").strip())
    has_category = any(table.get(column, "").strip() for column in CATEGORY_COLUMNS)
    if not has_role and not has_category:
        raise ConfigurationError(
            f"{path}.role is missing: give a role, or instead of it one or more of {', '.join(CATEGORY_COLUMNS)}."
        )
    if has_role and has_category:
        raise ConfigurationError(f"{path} has a role and categories of roles: leave one or the other.")


def _stored_mappings(organization: Organization) -> Iterator[Table]:
    for row in acts.MAPPINGS.of(organization):
        yield {name: value for name, value in table_of(_MAPPING, row).items() if value not in NO_RULE}


def _compare_mappings(file: Configuration, organization: Organization) -> Changes:
    stored = {tuple(getattr(row, name) for name in PLACE): row for row in acts.MAPPINGS.of(organization)}
    for table in file.tables["mappings"]:
        place = {name: table.get(name, "") for name in PLACE}
        mapping = stored.get(tuple(place.values())) or RoleMapping(**place)
        before = table_of(_MAPPING, mapping)
        changed = differing(_MAPPING, before, table)
        stage = quoted(mapping.stage) if mapping.stage else "any CodeScreen stage"
        subject = f"mapping {quoted(mapping.subject)} × {stage}"
        lines = [
            _MAPPING[name].line(subject if name == "assessment" else f"{subject} {name}", before[name], value)
            for name, value in changed.items()
        ]
        if lines:
            yield Change(subject, lines, partial(_save_mapping, organization, place, changed))


def _save_mapping(organization: Organization, place: Table, changed: Table) -> None:
    own = acts.MAPPINGS.of(organization).filter(**place)
    mapping = own.first() or RoleMapping(organization=organization, **place)
    for name, value in changed.items():
        setattr(mapping, name, value)
    acts.MAPPINGS.save(mapping, ACTOR)


MAPPINGS = Section(
    "mappings",
    _MAPPING,
    _stored_mappings,
    _compare_mappings,
    is_array=True,
    named_by=PLACE,
    check=_check_mapping,
)
