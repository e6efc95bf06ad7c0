"""Every address of every part, asked for and posted to by every role, a stranger, nobody: the contract's role table."""

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from integrations.models import Membership, Organization, RoleMapping
from tests import addresses
from tests.addresses import Address
from tests.admin.conftest import Customer, make_customer
from tests.pages.test_access import ALLOWED, EVERYBODY, PUBLIC, ROLES

pytestmark = pytest.mark.django_db

#: Doors for machines and for Lever's consent; each proves its caller in its own tests.
DOORS = {"lever-webhook", "codescreen-webhook", "live", "ready", "metrics", "lever-connect"}
CONSENT = {
    "social:begin",
    "social:complete",
    "social:idp_launch",
    "social:app_launch",
    "social:disconnect",
    "social:disconnect_individual",
}
NOT_OURS = {"Heartbeat", "RateLimitBucket", "PersonalSettings"}  # what belongs to no organization
POST_ALLOWED = {"settings": 1}  # everybody sees whom to ask there, and only Super Admins store secrets
#: What the admin lets somebody change, and from which role on.
CHANGEABLE = {RoleMapping: 2, Organization: 2, Membership: 1}


class Persona(NamedTuple):
    """Somebody who tries every address; `rank` is the place of their role in ACME, 0 when they have none there."""

    name: str
    rank: int
    is_staff: bool
    is_signed_in: bool = True
    is_stranger: bool = False


PERSONAS = [
    Persona("anonymous", 0, is_staff=False, is_signed_in=False),
    Persona("nobody", 0, is_staff=False),
    Persona("staff of nothing", 0, is_staff=True),
    Persona("stranger", 0, is_staff=True, is_stranger=True),
    *(Persona(role, rank, is_staff=False) for rank, role in enumerate(ROLES, start=1)),
    *(Persona(f"{role}, staff", rank, is_staff=True) for rank, role in enumerate(ROLES, start=1)),
]


@pytest.fixture
def acme(db: None) -> Customer:
    """The customer whose addresses are tried."""
    return make_customer("acme")


@pytest.fixture
def globex(db: None) -> Customer:
    """The stranger's own."""
    return make_customer("globex")


@pytest.fixture
def signed_in(acme: Customer, globex: Customer) -> Callable[[Persona], Client]:
    """Return what signs a persona in."""

    def sign_in(persona: Persona) -> Client:
        client = Client()
        if persona.is_signed_in:
            user = User.objects.create_user("persona", "persona@persona.example", is_staff=persona.is_staff)
            if persona.rank:
                Membership.objects.create(
                    user=user, organization=acme.organization, role=ROLES[persona.rank - 1]
                )
            if persona.is_stranger:
                Membership.objects.create(user=user, organization=globex.organization, role=ROLES[0])
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


def test_every_address_has_a_rule() -> None:
    ruled = set(ALLOWED) | PUBLIC | EVERYBODY | DOORS | CONSENT
    unruled = {name for name in addresses.names() - ruled if not name.startswith("admin:")}
    assert not unruled, f"say who may use {sorted(unruled)} in ALLOWED"
    assert ruled <= addresses.names()


def _seen(client: Client, url: str, method: str) -> Any:
    """Return the answer; what a POST did is undone, so that the next address meets the same rows."""
    if method == "get":
        return client.get(url)
    point = transaction.savepoint_create()
    answer = client.post(url)
    transaction.savepoint_rollback(point)
    return answer


def _text(answer: Any) -> str:
    text = b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode().lower()
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)  # chance may spell any name in there


def _expected_of_a_page(persona: Persona, address: Address, method: str) -> Iterable[int]:
    """Return the answers the contract's role table allows for a page of the site."""
    done = {200, 405} if method == "get" else {200, 302, 405}
    lowest = (
        ALLOWED.get(address.name, 0)
        if method == "get"
        else POST_ALLOWED.get(address.name, ALLOWED.get(address.name, 0))
    )
    if address.name in PUBLIC:
        return done | {302}
    if not persona.is_signed_in:
        return {302}
    if address.name in EVERYBODY:
        return done | ({404} if address.name == "switch-organization" else set())
    if not persona.rank and not persona.is_stranger:
        return {403}
    if persona.is_stranger:
        return {404, 405} if address.has_row else done
    return done if persona.rank <= lowest else {403}


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.name)
def test_the_site_answers_each_role_as_the_contract_says(signed_in, acme, persona, method) -> None:
    client = signed_in(persona)
    wrong = []
    for address in addresses.of(acme):
        if address.name in set(ALLOWED) | PUBLIC | EVERYBODY:
            if address.name == "logout" and method == "post":
                continue
            answer = _seen(client, address.url, method)
            if answer.status_code not in _expected_of_a_page(persona, address, method):
                wrong.append((address.name, answer.status_code))
            if answer.status_code == 302 and not persona.is_signed_in and address.name not in PUBLIC:
                assert answer["Location"].startswith("/login/"), address
            if persona.is_stranger and answer.status_code == 200 and address.name not in PUBLIC:
                assert "acme" not in _text(answer), address
    assert wrong == []


def _expected_in_the_admin(persona: Persona, address: Address) -> Iterable[int]:
    """Return the answers allowed in the Django admin: one's own rows, from Team Member on, if staff."""
    if address.name == "admin:login":
        return {200, 302}
    if address.name == "admin:logout":
        return {302, 405}
    if not persona.is_staff:
        return {302}
    if not address.name.startswith("admin:integrations_"):
        of_nobody = {"admin:index", "admin:password_change", "admin:password_change_done", "admin:jsi18n"}
        if address.name in of_nobody:
            return {200, 302, 405}
        is_team = 0 < persona.rank <= 3 or persona.is_stranger
        if address.name == "admin:app_list" and is_team:
            return {200}
        # a row that isn't there leads to the index, which says so
        return {302, 403, 404, 405}
    if persona.is_stranger:
        return {403, 404} if address.has_row else {200, 302, 403}
    if not 0 < persona.rank <= 3:
        return {403, 404}
    return {403, 404} if _is_of_nobody(address) else {200, 302, 403}


def _is_of_nobody(address: Address) -> bool:
    return any(f"_{model.lower()}_" in address.name for model in NOT_OURS)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.name)
def test_the_admin_answers_each_role_as_the_contract_says(signed_in, acme, persona, method) -> None:
    client = signed_in(persona)
    wrong = []
    for address in addresses.of(acme):
        if address.name.startswith("admin:") and not (address.name == "admin:logout" and method == "post"):
            answer = _seen(client, address.url, method)
            if answer.status_code not in _expected_in_the_admin(persona, address):
                wrong.append((address.name, answer.status_code))
            if (
                answer.status_code == 302
                and not persona.is_staff
                and address.name not in {"admin:login", "admin:logout"}
            ):
                assert "/login/" in answer["Location"], address
            if persona.is_stranger and answer.status_code == 200:
                assert "acme" not in _text(answer), address
    assert wrong == []


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.name)
def test_only_the_roles_named_may_change_a_row_in_the_admin(signed_in, acme, persona) -> None:
    client = signed_in(persona)
    rows = {f"admin:integrations_{model._meta.model_name}": rank for model, rank in CHANGEABLE.items()}
    for address in addresses.of(acme):
        model, _, page = address.name.rpartition("_")
        if page in {"add", "change", "delete"} and model.startswith("admin:integrations_"):
            if persona.is_stranger and not address.has_row:
                continue  # their own organization's
            may = persona.is_staff and 0 < persona.rank <= rows.get(model, 0)
            if not may:
                answer = _seen(client, address.url, "post")
                assert answer.status_code in {302, 403, 404}, address
                assert answer.status_code != 302 or "/login/" in answer["Location"], address


def _everything_of(customer: Customer) -> dict[str, list[dict[str, Any]]]:
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in apps.get_app_config("integrations").get_models()
        if model.__name__ not in NOT_OURS
    }


@pytest.mark.parametrize(
    "persona", [one for one in PERSONAS if not one.rank or one.rank == 4], ids=lambda persona: persona.name
)
def test_whoever_may_change_nothing_of_a_customer_changes_nothing(signed_in, acme, globex, persona) -> None:
    client = signed_in(persona)
    if persona.is_stranger:  # what is theirs they may change; only the customer's addresses are tried
        tried = [address for address in addresses.of(acme) if address.has_row]
    else:
        tried = addresses.of(acme)
    before = _everything_of(acme)
    # what is addressed to the person: their own e-mails, and the link that came by e-mail
    own = {"notifications", "unsubscribe"}
    for address in tried:
        if address.name not in DOORS | own and not address.name.endswith("logout"):
            client.post(address.url, {"organization": acme.organization.slug, "post": "yes", "role": "admin"})
    assert _everything_of(acme) == before


def test_consent_is_lever_s_alone_and_disconnecting_by_its_address_does_nothing(signed_in, acme) -> None:
    client = signed_in(Persona("super_admin", 1, is_staff=False))
    before = _everything_of(acme)
    for backend in ("lever", "github", "nonsense"):
        for act in ("login", "complete", "disconnect", "idp-launch", "app-launch"):
            url = f"/oauth/{act}/{backend}/"
            if url == "/oauth/login/lever/":
                assert client.get(url).status_code == 405
                continue
            for answer in (client.get(url), client.post(url)):
                assert answer.status_code in {302, 404, 405}, url
    assert _everything_of(acme) == before
