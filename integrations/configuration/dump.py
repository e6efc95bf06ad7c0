"""Write an organization as a file that `configure` reads back without a difference."""

from integrations.configuration.alerts import SWITCHES
from integrations.configuration.load import POLICY
from integrations.configuration.toml import Value, literal
from integrations.models import (
    AlertAddress,
    CodeScreenConnection,
    IdentityProvider,
    LeverWebhook,
    Membership,
    Organization,
    RatingThresholds,
    RoleMapping,
)


def dump(organization: Organization) -> str:
    """Return the organization's configuration file. Secrets are left out; comments name those that are set."""
    blocks = [_organization(organization), *_members(organization), _policies(organization)]
    blocks += [_lever(organization), _codescreen(organization), *_single_sign_on(organization)]
    blocks += _alerts(organization)
    blocks += _mappings(organization)
    blocks += _assessments(organization)
    return "\n".join(blocks)


def _block(header: str, values: dict[str, Value], left_out: tuple[str, ...] = ()) -> str:
    lines = [header, *(f"{name} = {literal(value)}" for name, value in values.items())]
    lines += [f"# {name} is set; secrets are left out" for name in left_out]
    return "\n".join(lines) + "\n"


def _organization(organization: Organization) -> str:
    values: dict[str, Value] = {
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
        values: dict[str, Value] = {"username": membership.user.get_username()}
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


def _single_sign_on(organization: Organization) -> list[str]:
    provider = IdentityProvider.objects.filter(organization=organization).first()
    domains = [domain.domain for domain in organization.sign_in_domains.all()]
    values: dict[str, Value] = {}
    if provider is not None:
        values = {
            "issuer": provider.issuer,
            "client_id": provider.client_id,
            "counts_as_second_factor": provider.counts_as_second_factor,
        }
    if domains:
        values["domains"] = domains
    left_out = ("client_secret",) if provider is not None and provider.client_secret else ()
    return [_block("[single_sign_on]", values, left_out)] if values else []


def _alerts(organization: Organization) -> list[str]:
    blocks = []
    for address in organization.alert_addresses.order_by("name"):
        values: dict[str, Value] = {"name": address.name, "kind": address.kind}
        values |= {name: getattr(address, column) for name, column in SWITCHES.items()}
        left_out = ("url", "secret") if address.kind == AlertAddress.Kind.SIGNED else ("url",)
        blocks.append(_block("[[alerts]]", values, left_out))
    return blocks


def _mappings(organization: Organization) -> list[str]:
    blocks = []
    for mapping in RoleMapping.objects.filter(organization=organization).order_by("role", "stage"):
        values: dict[str, Value] = {"role": mapping.role}
        if mapping.stage:
            values["stage"] = mapping.stage
        values["assessment"] = mapping.assessment
        blocks.append(_block("[[mappings]]", values))
    return blocks


def _assessments(organization: Organization) -> list[str]:
    rows = RatingThresholds.objects.filter(organization=organization).order_by("assessment")
    return [
        _block("[[assessments]]", {"name": row.assessment, "rating_thresholds": list(row.values)})
        for row in rows
    ]
