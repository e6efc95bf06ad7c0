"""Rows → text: a file that `configure` reads back without a difference; secrets are left out and named."""

from integrations.configuration.load import POLICY
from integrations.models import CodeScreenConnection, LeverWebhook, Membership, Organization, RoleMapping

SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def quoted(text: str) -> str:
    """Return text as a TOML basic string on one line, everything that doesn't print escaped."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in SHORT_ESCAPES:
        return SHORT_ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def literal(value: str | int | bool) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else quoted(value)


def write(organization: Organization) -> str:
    """Return the organization's configuration file without its secrets."""
    blocks = [_organization(organization), *_members(organization), _policies(organization)]
    blocks += [_lever(organization), _codescreen(organization), *_mappings(organization)]
    return "\n".join(blocks)


def _block(header: str, values: dict[str, str | int | bool], left_out: tuple[str, ...] = ()) -> str:
    lines = [header, *(f"{name} = {literal(value)}" for name, value in values.items())]
    lines += [f"# {name} is set; secrets are left out" for name in left_out]
    return "\n".join(lines) + "\n"


def _organization(organization: Organization) -> str:
    values: dict[str, str | int | bool] = {
        "name": organization.name,
        "slug": organization.slug,
        "stage_prefix": organization.stage_prefix,
    }
    return _block("[organization]", values, ("webhook_key",))


def _members(organization: Organization) -> list[str]:
    memberships = (
        Membership.objects.filter(organization=organization).select_related("user").order_by("user__username")
    )
    blocks = []
    for membership in memberships:
        values: dict[str, str | int | bool] = {"username": membership.user.get_username()}
        if membership.user.email:
            values["email"] = membership.user.email
        values["role"] = membership.role
        left_out = ("password",) if membership.user.has_usable_password() else ()
        blocks.append(_block("[[members]]", values, left_out))
    return blocks


def _policies(organization: Organization) -> str:
    return _block("[policies]", {name: getattr(organization, name) for name in POLICY})


def _lever(organization: Organization) -> str:
    webhook = LeverWebhook.objects.manual().filter(organization=organization).first()
    names = ("signature_token", "previous_signature_token")
    return _block("[lever]", {}, tuple(name for name in names if getattr(webhook, name, "")))


def _codescreen(organization: Organization) -> str:
    connection = CodeScreenConnection.objects.filter(organization=organization).first()
    left_out = tuple(name for name in ("api_key", "webhook_secret") if getattr(connection, name, ""))
    return _block("[codescreen]", {"idempotency": bool(connection and connection.idempotency)}, left_out)


def _mappings(organization: Organization) -> list[str]:
    blocks = []
    for mapping in RoleMapping.objects.filter(organization=organization).order_by("role", "stage"):
        values: dict[str, str | int | bool] = {"role": mapping.role}
        if mapping.stage:
            values["stage"] = mapping.stage
        values["assessment"] = mapping.assessment
        blocks.append(_block("[[mappings]]", values))
    return blocks
