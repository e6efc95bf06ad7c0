"""The section of a file about roles: mappings, with their own rules."""

from collections.abc import Iterator
from functools import partial

from integrations.catalog import acts as catalog_acts
from integrations.catalog.models.role_mapping import (
    CATEGORY_COLUMNS,
    NO_RULE,
    OWN_RULES,
    RoleMapping,
)
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

_NAMED_BY = ("role", *CATEGORY_COLUMNS, "stage")
_MAPPING = keys(
    *(column(RoleMapping, name) for name in _NAMED_BY),
    column(RoleMapping, "assessment", is_required=True),
    *(column(RoleMapping, name) for name in OWN_RULES),
)


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
    for row in RoleMapping.objects.filter(organization=organization):
        yield {name: value for name, value in table_of(_MAPPING, row).items() if value not in NO_RULE}


def _mappings_after(file: Configuration, organization: Organization) -> dict[tuple[str, ...], RoleMapping]:
    """Return the mappings that there would be, unsaved, by what each holds for."""
    own = RoleMapping.objects.filter(organization=organization.pk).order_by("role", "stage", "pk")
    mappings = {tuple(getattr(mapping, name) for name in _NAMED_BY): mapping for mapping in own}
    for table in file.tables["mappings"]:
        named = {name: table.get(name, "") for name in _NAMED_BY}
        new = RoleMapping(organization=organization, **named)
        mapping = mappings.setdefault(tuple(named.values()), new)
        _set_columns(mapping, table)
    return mappings


def _set_columns(mapping: RoleMapping, table: Table) -> None:
    empty = RoleMapping()
    for name, value in table.items():
        setattr(mapping, name, getattr(empty, name) if value == "" else value)


def _compare_mappings(file: Configuration, organization: Organization) -> Changes:
    own = RoleMapping.objects.filter(organization=organization.pk)
    known = {row.pk: table_of(_MAPPING, row) for row in own}
    for named, mapping in _mappings_after(file, organization).items():
        before = known.get(mapping.pk, table_of(_MAPPING, RoleMapping()))
        changed = differing(_MAPPING, before, table_of(_MAPPING, mapping))
        lines = []
        stage = quoted(mapping.stage) if mapping.stage else "any CodeScreen stage"
        subject = f"mapping {quoted(mapping.subject)} × {stage}"
        for name, value in changed.items():
            if name not in _NAMED_BY:
                path = subject if name == "assessment" else f"{subject} {name}"
                lines.append(_MAPPING[name].line(path, before[name], value))
        if lines:
            yield Change(subject, lines, partial(_save_mapping, organization, named, changed))


def _save_mapping(organization: Organization, named: tuple[str, ...], changed: Table) -> None:
    identity = dict(zip(_NAMED_BY, named, strict=True))
    own = RoleMapping.objects.filter(organization=organization, **identity)
    mapping = own.first() or RoleMapping(organization=organization, **identity)
    _set_columns(mapping, changed)
    catalog_acts.save_mapping(mapping, ACTOR)


MAPPINGS = Section(
    "mappings",
    _MAPPING,
    _stored_mappings,
    _compare_mappings,
    is_array=True,
    named_by=_NAMED_BY,
    check=_check_mapping,
)
