"""Every address of the portal, from its URL patterns, with one customer's rows filled in."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from integrations.api.models import ApiToken
from integrations.catalog.models import Role, RoleMapping
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.webhook import LeverWebhook
from integrations.members.models.membership import Membership, PendingMembership
from integrations.notifications.models.email_kind import EmailKind, unsubscribe_link
from integrations.outbox.models.effect import Effect
from tests.admin.conftest import Customer

#: Models whose rows belong to no organization.
WITHOUT_ORGANIZATION = {
    "AttemptLimit",
    "ChainHead",
    "Heartbeat",
    "PasswordLinkRequest",
    "PersonalSettings",
    "PortalDuty",
    "RateLimitBucket",
    "Authenticator",
}

#: The model whose primary key an address needs, by the first word of its name.
ROW_OF = {
    "api": ApiToken,
    "delivery": Delivery,
    "effect": Effect,
    "invitation": Invitation,
    "mapping": RoleMapping,
    "member": Membership,
    "offered": Delivery,
    "role": Role,
    "pending": PendingMembership,
    "token": LeverWebhook,
}


class Address(NamedTuple):
    """A named URL pattern with its address; `has_row` when the address contains one of the customer's rows."""

    name: str
    url: str
    has_row: bool


def patterns(within: Any = None, namespaces: tuple[str, ...] = ()) -> Iterator[tuple[str, URLPattern]]:
    """Yield every named pattern with its full name; the admin's unnamed ones are redirects and a 404."""
    for pattern in get_resolver().url_patterns if within is None else within:
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from patterns(pattern.url_patterns, inner)
        elif pattern.name:
            yield ":".join([*namespaces, pattern.name]), pattern


def names() -> set[str]:
    """Return the name of every pattern."""
    return {name for name, _ in patterns()}


def unnamed(within: Any = None, beginning: str = "") -> Iterator[str]:
    """Yield the route of every pattern without a name, which `patterns()` leaves out."""
    for pattern in get_resolver().url_patterns if within is None else within:
        route = f"{beginning}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from unnamed(pattern.url_patterns, route)
        elif not pattern.name:
            yield route


def of(customer: Customer) -> list[Address]:
    """Return every address with the customer's rows filled in. Raises AssertionError for a pattern it can't fill."""
    return [_fill(name, pattern, customer) for name, pattern in patterns()]


def _fill(name: str, pattern: URLPattern, customer: Customer) -> Address:
    wanted = (
        set(pattern.pattern.converters) | set(pattern.pattern.regex.groupindex) | _PARENTS.get(name, set())
    )
    if not wanted:
        return Address(name, reverse(name), has_row=False)
    values = _values(name, customer)
    try:
        url = reverse(name, kwargs={key: values[key] for key in wanted})
    except (KeyError, NoReverseMatch) as error:
        raise AssertionError(f"add to {__name__} what {name} needs: {sorted(wanted)}") from error
    return Address(name, url, has_row=name not in _WITHOUT_ROW)


#: Addresses whose parameters name no row of the customer.
_WITHOUT_ROW = {
    "offered-invite",  # its number only bounds the sender's own rows
    "admin:app_list",
    "membership-link",
    "account_reset_password_from_key",
    "social:begin",
    "mfa_edit_webauthn",  # a person's, not an organization's
    "mfa_remove_webauthn",
    "openid_connect_callback",
    "openid_connect_login",
}


#: What the addresses that these lie below need.
_PARENTS = {"mfa_edit_webauthn": {"pk"}, "mfa_remove_webauthn": {"pk"}}


def _values(name: str, customer: Customer) -> dict[str, Any]:
    values: dict[str, Any] = {
        "key": customer.organization.webhook_key,
        "rest": "nothing",
        "which": "current",
        "opportunity_id": customer.rows[Invitation].opportunity_id,
        "token": "a-token",
        "uidb36": "1",
        "provider_id": "no-such-provider",
        "backend": "lever",
        "association_id": 1,
        "app_label": "integrations",
        "slug": customer.organization.slug,
        "content_type_id": ContentType.objects.get_for_model(Delivery).pk,
        "object_id": customer.rows[Delivery].pk,
        "id": customer.rows[Membership].user_id,
        "organization_id": customer.organization.pk,
    }
    if name.startswith("mfa_"):
        values["pk"] = 1
    if name == "unsubscribe":
        link = unsubscribe_link(customer.rows[Membership], EmailKind.RESULTS)
        values["token"] = link.rstrip("/").rpartition("/")[2]
    if name.startswith("admin:") and "object_id" in values:
        values["object_id"] = _admin_row(name, customer)
    row = customer.rows.get(ROW_OF.get(name.split("-")[0]))  # type: ignore[arg-type]
    if row is not None:
        values["pk"] = row.pk
    if name == "membership-leave":
        values["pk"] = customer.rows[Membership].pk
    if name == "membership-answer":
        values["pk"] = customer.rows[PendingMembership].pk
    return values


def _admin_row(name: str, customer: Customer) -> Any:
    """Return the key of the customer's row of the model an admin address is about, or one of nothing."""
    if name == "admin:view_on_site":
        return customer.rows[Delivery].pk
    label, _, page = name.removeprefix("admin:").partition("_")
    if label != "integrations":
        return Group.objects.get_or_create(name="anybody")[0].pk
    models = {model._meta.model_name: model for model in apps.get_app_config("integrations").get_models()}
    row = customer.rows.get(models.get(page.rpartition("_")[0]))  # type: ignore[arg-type]
    return row.pk if row is not None else 1
