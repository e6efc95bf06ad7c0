"""The sections of an organization's file: their keys, what is stored of them, and what a file changes.

What a file leaves out stays. No platform is called.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from integrations.catalog.acts import MAPPINGS
from integrations.catalog.models import CATEGORY_COLUMNS, NO_RULE, RoleMapping
from integrations.codescreen import acts as codescreen_acts
from integrations.codescreen.models import CodeScreenConnection
from integrations.configuration.section import (
    ACTOR,
    Change,
    Changes,
    Configuration,
    ConfigurationError,
    Key,
    Section,
    Table,
    added,
    changes_of_keys,
    closest,
    column,
    differing,
    keys,
    quoted,
    secret,
    table_of,
)
from integrations.lever.acts.connection import checked_key, connect_lever
from integrations.lever.acts.webhooks import save_main_token, save_previous_token
from integrations.lever.models.connection import LeverAccess, LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.regions import Region
from integrations.members.acts import members
from integrations.members.models.membership import Membership
from integrations.organizations import acts as organizations
from integrations.organizations.acts import refuse_key_of_another
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import POLICIES

# The organization and its policies. The file has the stage prefix in another table than the rest of the policies.

_ORGANIZATION = keys(
    column(Organization, "name"),
    column(Organization, "slug", is_required=True),
    column(Organization, "webhook_key", is_secret=True),
    column(Organization, "stage_prefix"),
)
_POLICIES = keys(
    *(column(Organization, name, is_stripped=True) for name in POLICIES if name != "stage_prefix")
)


def _stored_policies(organization: Organization) -> list[Table]:
    return [{name: value for name, value in table_of(_POLICIES, organization).items() if value is not None}]


def _compare_organization(file: Configuration, organization: Organization) -> Changes:
    (identity,), (rules,) = file.tables["organization"], file.tables["policies"]
    is_new = organization.pk is None
    if is_new and "name" not in identity:
        raise ConfigurationError("organization.name is missing: there is no such organization yet.")
    wanted = {name: value for name, value in (identity | rules).items() if name != "slug"}
    before = {name: getattr(organization, name) for name in wanted}
    after = {name: value for name, value in wanted.items() if before[name] != value}
    _refuse_whole(organization, after)
    known = _ORGANIZATION | _POLICIES
    lines = {name: known[name].line(_path(name), before[name], value) for name, value in after.items()}
    named = {name: value for name, value in after.items() if name in organizations.IDENTITY}
    if is_new:
        new = [added(f"organization {quoted(organization.slug)}", quoted(named["name"]))]
        new += [added("organization.webhook_key", "set") for name in named if name == "webhook_key"]
        yield Change("organization", new, partial(_create, organization, named))
    elif named:
        save = partial(organizations.change_organization, organization, named, ACTOR)
        yield Change("organization", [lines[name] for name in named], save)
    if chosen := {name: value for name, value in after.items() if name not in organizations.IDENTITY}:
        save = partial(organizations.set_policies, organization, chosen, ACTOR)
        yield Change("policies", [lines[name] for name in chosen], save)


def _create(organization: Organization, named: Table) -> None:
    for name, value in named.items():
        setattr(organization, name, value)
    organizations.create_organization(organization, ACTOR)


def _refuse_whole(organization: Organization, values: Table) -> None:
    """Refuse what only the whole row shows, such as a webhook key that another organization has."""
    try:
        trial = organization.changed(values)
        refuse_key_of_another(trial, trial.webhook_key)
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        path = "policies" if name == "__all__" else _path(name)
        raise ConfigurationError(f"{path}: {' '.join(messages)}") from error


def _path(name: str) -> str:
    return f"{'policies' if name in _POLICIES else 'organization'}.{name}"


# Members


def _check_role(path: str, role: str) -> None:
    if role not in Membership.Role.values:
        hint = closest(role.lower().replace(" ", "_"), Membership.Role.values, "Known are")
        raise ConfigurationError(f"{path} is no role: {role!r}. {hint}")


def _check_member(path: str, table: Table) -> None:
    """Refuse a password that nobody might choose on a page either; the message doesn't repeat it."""
    if "password" not in table:
        return
    try:
        validate_password(table["password"], User(username=table["username"], email=table.get("email", "")))
    except ValidationError as error:
        raise ConfigurationError(
            f"{path}.password: {' '.join(error.messages)} "
            "Or leave the key out: then a link to choose one is printed."
        ) from error


_MEMBER = keys(
    column(User, "username", is_required=True),
    column(User, "email"),
    column(Membership, "role", is_required=True, check=_check_role),
    secret("password", is_stripped=False),
)


def _stored_members(organization: Organization) -> Iterator[Table]:
    own = Membership.objects.filter(organization=organization).select_related("user")
    for membership in own.order_by("user__username"):
        user = membership.user
        yield {
            "username": user.get_username(),
            **({"email": user.email} if user.email else {}),
            "role": membership.role,
            "password": user.password if user.has_usable_password() else "",
        }


def _compare_members(file: Configuration, organization: Organization) -> Changes:
    """Yield Super Admins first, so that a file can name a new one and give the last one another role."""
    tables = file.tables["members"]
    for table in sorted(tables, key=lambda table: table["role"] != Membership.Role.SUPER_ADMIN):
        subject, role = f"member {quoted(table['username'])}", table["role"]
        email, password = table.get("email", ""), table.get("password", "")
        user = User.objects.filter(username=table["username"]).first()
        member = Membership.objects.filter(user=user, organization=organization.pk).first() if user else None
        lines = []
        if member is None:
            lines.append(added(subject, role))
        elif member.role != role:
            lines.append(f"~ {subject} role: {member.role} → {role}")
        if user and email and user.email != email:
            lines.append(_MEMBER["email"].line(f"{subject} email", user.email, email))
        if user and password and not members.has_password(user, password):
            lines.append(f"~ {subject} password: {'changed' if user.has_usable_password() else 'set'}")
        if lines:
            save = partial(members.save_member, email=email, password=password)
            yield Change(subject, lines, partial(save, organization, table["username"], role, ACTOR))


# The connections, whose keys are stored one at a time

_LEVER = keys(
    secret("signature_token", save=save_main_token),
    secret(
        "previous_signature_token",
        can_be_removed=True,
        save=save_previous_token,
        needs="signature_token",
    ),
)
#: The connection to Lever, which is stored as a whole; a consent isn't given in a file.
_LEVER_KEY = keys(
    secret("api_key"),
    Key("perform_as", must_not_be_blank=True, is_stripped=True),
    column(LeverConnection, "region"),
)
_CODESCREEN = keys(
    secret("api_key", save=codescreen_acts.save_codescreen_key),
    secret("webhook_secret", can_be_removed=True, save=codescreen_acts.save_codescreen_webhook_secret),
)


def _one(known: dict[str, Key], rows: QuerySet[Any], organization: Organization) -> list[Table]:
    return [table_of(known, rows.filter(organization=organization.pk).first() or rows.model())]


def _stored_lever(organization: Organization) -> list[Table]:
    (tokens,) = _one(_LEVER, LeverWebhook.objects.manual(), organization)
    connection = LeverConnection.objects.filter(organization=organization.pk).first()
    if connection is None or connection.api_key == "":
        return [tokens]
    perform_as = connection.lever_user_email or connection.lever_user_id
    key = {"api_key": connection.api_key, "perform_as": perform_as, "region": connection.region}
    return [tokens | key]


def _compare_lever(file: Configuration, organization: Organization) -> Changes:
    """Keep the overlap of a replaced main token: the file's previous one counts only while none is known.

    Otherwise a file that still names an older one would end the overlap, in this run or in the next.
    """
    (before,), (wanted,) = _stored_lever(organization), file.tables["lever"]
    main, name = before["signature_token"], "previous_signature_token"
    replaced = main if wanted.get("signature_token", main) != main else ""
    known = replaced or before[name]
    if wanted.get(name) and known and wanted[name] != replaced:
        wanted = {key: value for key, value in wanted.items() if key != name}
    elif wanted.get(name) == "":
        before = before | {name: known}
    yield from changes_of_keys("lever", _LEVER, before, wanted, organization)
    yield from _compare_lever_key(before, wanted, organization)


def _compare_lever_key(before: Table, wanted: Table, organization: Organization) -> Changes:
    changed = differing(_LEVER_KEY, before, wanted)
    if "perform_as" in before and _is_stored_author(changed.get("perform_as", ""), organization):
        del changed["perform_as"]
    if not changed:
        return
    after = before | changed
    if not after.get("api_key"):
        raise ConfigurationError(f"lever.{next(iter(changed))} needs a lever.api_key beside it.")
    if not after.get("perform_as"):
        raise ConfigurationError(
            "lever.perform_as is missing: an API key has no user of its own. Give the e-mail address or the id of the "
            "Lever user in whose name feedback and notes are written."
        )
    lines = [
        _LEVER_KEY[name].line(f"lever.{name}", before.get(name), value) for name, value in changed.items()
    ]
    yield Change("lever", lines, partial(_save_lever_key, organization, after))


def _is_stored_author(named: str, organization: Organization) -> bool:
    """Whether the stored user is the one that a file names by id or by address, in whatever case."""
    stored = LeverConnection.objects.get(organization=organization)
    return named == stored.lever_user_id or named.casefold() == stored.lever_user_email.casefold()


def _save_lever_key(organization: Organization, after: Table) -> None:
    is_address = "@" in after["perform_as"]
    access = LeverAccess(
        api_key=checked_key(after["api_key"]),
        region=after.get("region", Region.WORLDWIDE.value),
        **{"user_email" if is_address else "user_id": after["perform_as"]},
    )
    connect_lever(organization, access, ACTOR)


# Mappings, with their own rules

_MAPPING = keys(*(column(RoleMapping, name, is_required=name == "assessment") for name in MAPPINGS.told))


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
    for row in MAPPINGS.of(organization):
        yield {name: value for name, value in table_of(_MAPPING, row).items() if value not in NO_RULE}


def _compare_mappings(file: Configuration, organization: Organization) -> Changes:
    stored = {
        tuple(getattr(row, name) for name in MAPPINGS.named_by): row for row in MAPPINGS.of(organization)
    }
    for table in file.tables["mappings"]:
        place = {name: table.get(name, "") for name in MAPPINGS.named_by}
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
    own = MAPPINGS.of(organization).filter(**place)
    mapping = own.first() or RoleMapping(organization=organization, **place)
    for name, value in changed.items():
        setattr(mapping, name, value)
    MAPPINGS.save(mapping, ACTOR)


#: In the order in which a file is read, compared, applied and dumped.
SECTIONS = (
    Section("organization", _ORGANIZATION, lambda row: [table_of(_ORGANIZATION, row)], _compare_organization),
    Section(
        "members",
        _MEMBER,
        _stored_members,
        _compare_members,
        is_array=True,
        named_by=("username",),
        check=_check_member,
    ),
    Section("policies", _POLICIES, _stored_policies),  # compared with the organization
    Section("lever", _LEVER | _LEVER_KEY, _stored_lever, _compare_lever),
    Section(
        "codescreen", _CODESCREEN, lambda row: _one(_CODESCREEN, CodeScreenConnection.objects.all(), row)
    ),
    Section(
        "mappings",
        _MAPPING,
        _stored_mappings,
        _compare_mappings,
        is_array=True,
        named_by=MAPPINGS.named_by,
        check=_check_mapping,
    ),
)
