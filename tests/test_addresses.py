"""The contract's role table: every address, by GET and POST, for every role, a stranger and nobody."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from integrations.api.models import ApiScope
from integrations.invitations.models.invitation import Invitation
from integrations.members.acts.invitations import work_in
from integrations.members.models.membership import Membership
from tests.admin.conftest import SECRETS, Customer
from tests.admin.conftest import acme as acme
from tests.admin.conftest import globex as globex
from tests.pages.test_access import ALLOWED, EVERYBODY, LEAD_ON, MOVED, PUBLIC, ROLES
from tests.support import addresses, factories
from tests.support.addresses import WITHOUT_ORGANIZATION, Address
from tests.support.second_factors import prove_now

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

#: Endpoints for machines, Lever's consent and providers; their own tests check who may call them.
ENDPOINTS = {
    "lever-webhook",
    "codescreen-webhook",
    "live",
    "ready",
    "work",
    "metrics",
    "lever-connect",
    "api-schema",
    *(f"api-{scope}-list" for scope in ApiScope),
    *(f"api-{scope}-detail" for scope in ApiScope if scope != ApiScope.FINDINGS),
}
CONSENT = {
    "social:begin",
    "social:complete",
    "social:idp_launch",
    "social:app_launch",
    "social:disconnect",
    "social:disconnect_individual",
}
#: Where POST needs a higher role than GET: only Super Admins save secrets and the chat room.
POST_ALLOWED = {"settings": 1, "notification-settings": 1}
#: The lowest role whose staff may open it: they read the log in the admin, too.
STAFF_ALLOWED = {"audit": 3, "audit-export": 3}
#: What everybody may do to rows of their own; the addresses name rows of others.
OTHERS_ROW_IS_NOT_FOUND = {"switch-organization", "membership-answer", "membership-leave"}
#: Where people sign in; the admin's own address leads on to the other.
SIGN_IN = ("/accounts/login/", "/admin/login/")
#: Pages about one candidate: a Limited Team Member sees those they are on in Lever.
ABOUT_A_CANDIDATE = {"candidate", "delivery"}


class Persona(NamedTuple):
    """A visitor; `rank` is the position of their role at Acme in ROLES, counted from 1, or 0 without a role."""

    name: str
    rank: int
    is_staff: bool
    is_signed_in: bool = True
    is_stranger: bool = False
    is_invited: bool = False
    is_former: bool = False
    is_on_candidate: bool = False
    is_superuser: bool = False


PERSONAS = [
    Persona("anonymous", 0, is_staff=False, is_signed_in=False),
    Persona("stranger", 0, is_staff=True, is_stranger=True),
    Persona("pending", 0, is_staff=True, is_invited=True),
    Persona("former", 0, is_staff=True, is_former=True),
    *(Persona(role, rank, is_staff=False) for rank, role in enumerate(ROLES, start=1)),
    Persona("limited_team_member on the candidate", 4, is_staff=False, is_on_candidate=True),
    *(Persona(f"{role}, staff", rank, is_staff=True) for rank, role in enumerate(ROLES, start=1)),
    # the portal's operator, who sees every organization in the admin and none on the site
    Persona("superuser", 0, is_staff=True, is_superuser=True),
]
#: Being staff opens the admin, and one page of the site, which tests/pages/test_access.py tries.
ON_THE_SITE = [one for one in PERSONAS if not one.name.endswith(", staff")]
IN_THE_ADMIN = [one for one in PERSONAS if one.is_staff or one.name in {"anonymous", "super_admin"}]
WITHOUT_RIGHTS = [one for one in ON_THE_SITE if one.rank in {0, 4} and not one.is_superuser]
#: Redirects, and a 404 of the admin.
WITHOUT_A_NAME = [
    r"admin/login/",
    r"admin/password_change/",
    r"admin/\w+/\w+/<path:object_id>/",
    re.escape(r"admin/(?P<url>.*)$"),
]
#: The admin's pages that are about no single model.
OWN_ADMIN_PAGES = {"admin:answers", "admin:candidate"}


def each(personas: Iterable[Persona]) -> pytest.MarkDecorator:
    """Parametrize a test by personas."""
    return pytest.mark.parametrize("persona", personas, ids=lambda persona: persona.name)


@pytest.fixture
def client_of(acme: Customer, globex: Customer) -> Callable[[Persona], Client]:
    """Return a function that makes a client for a persona."""

    def sign_in(persona: Persona) -> Client:
        client = Client()
        if persona.is_signed_in:
            user = User.objects.create_user(
                "persona",
                "persona@persona.example",
                is_staff=persona.is_staff,
                is_superuser=persona.is_superuser,
            )
            if persona.rank:
                role = ROLES[persona.rank - 1]
                Membership.objects.create(
                    user=user, organization=acme.organization, role=role, address=user.email
                )
            if persona.is_on_candidate:
                opportunity_id = acme.rows[Invitation].opportunity_id
                factories.on_candidate(acme.organization, opportunity_id, user.email)
            if persona.is_stranger:
                Membership.objects.create(user=user, organization=globex.organization, role=ROLES[0])
            if persona.is_invited:
                factories.prove_address(user)
                factories.invited(acme.organization, user.email, ROLES[0])
            client.force_login(user, backend="portal.accounts.backend.PasswordBackend")
            if persona.is_former:
                member = Membership.objects.create(user=user, organization=acme.organization, role=ROLES[0])
                work_in(user, acme.organization)
                assert client.get("/").status_code == 200
                member.delete()
            prove_now(client)
        return client

    return sign_in


def test_every_address_has_a_rule() -> None:
    listed = set(ALLOWED) | PUBLIC | EVERYBODY | MOVED | ENDPOINTS | CONSENT
    unlisted = {name for name in addresses.names() - listed if not name.startswith("admin:")}
    assert not unlisted, f"add the roles for {sorted(unlisted)} to ALLOWED"
    assert listed <= addresses.names()


def test_each_address_has_a_name_of_its_own_but_redirects() -> None:
    """One without a name, or with another's, would be tried as nobody."""
    known = re.compile("|".join(WITHOUT_A_NAME))
    assert [route for route in addresses.unnamed() if not known.fullmatch(route)] == []
    counts = Counter(name for name, _ in addresses.patterns())
    assert [name for name, count in counts.items() if count > 1] == []


def _request(client: Client, url: str, method: str) -> Any:
    """Return the response; a POST is rolled back, so that the next request finds the same rows."""
    if method == "get":
        answer: Any = client.get(url)
        if answer.streaming:  # closes the file that an export holds open
            answer.streaming_content = [answer.getvalue()]
        return answer
    point = transaction.savepoint_create()
    answer = client.post(url)
    transaction.savepoint_rollback(point)
    return answer


def _others_in(answer: Any, persona: Persona) -> list[str]:
    """Return what a page shows that the persona has no part in: names of an organization, and secrets."""
    text = answer.getvalue().decode()
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)  # a random token may contain any name
    hidden = () if persona.is_superuser else ("acme",) if persona.is_stranger else ("globex",)
    return [name for name in hidden if name in text.lower()] + [one for one in SECRETS if one in text]


def expected_of_a_page(persona: Persona, address: Address, method: str) -> Iterable[int]:
    """Return the status codes that the contract's role table allows for a page."""
    done = {200, 405} if method == "get" and address.name not in LEAD_ON else {200, 302, 405}
    lowest = (
        ALLOWED.get(address.name, 0)
        if method == "get"
        else POST_ALLOWED.get(address.name, ALLOWED.get(address.name, 0))
    )
    if address.name in PUBLIC:
        return done | ({302, 404} if address.name.startswith("openid_connect_") else {302})
    if not persona.is_signed_in or address.name in MOVED:
        return {302}
    if address.name in EVERYBODY:
        if address.name.startswith(("account_", "mfa_")):
            # allauth's lead on where there is nothing to do, and refuse people who have nothing to prove with
            return done | {302, 403, 404}
        return done | ({404} if address.name in OTHERS_ROW_IS_NOT_FOUND else set())
    if not persona.rank and not persona.is_stranger:
        return {403}
    if persona.is_stranger:
        return {404, 405} if address.has_row else done
    if persona.rank == len(ROLES) and address.name in ABOUT_A_CANDIDATE and not persona.is_on_candidate:
        return {404, 405}
    if persona.is_staff:
        lowest = STAFF_ALLOWED.get(address.name, lowest)
    return done if persona.rank <= lowest else {403}


@pytest.mark.parametrize("method", ["get", "post"])
@each(ON_THE_SITE)
def test_the_site_answers_each_role_by_the_contract(client_of, acme, persona, method) -> None:
    client = client_of(persona)
    wrong = []
    for address in addresses.of(acme):
        if address.name in set(ALLOWED) | PUBLIC | EVERYBODY | MOVED:
            if address.name == "account_logout" and method == "post":
                continue
            answer = _request(client, address.url, method)
            if answer.status_code not in expected_of_a_page(persona, address, method):
                wrong.append((address.name, answer.status_code))
            if answer.status_code == 302 and not persona.is_signed_in and address.name not in PUBLIC:
                assert answer["Location"].startswith("/accounts/login/"), address
            if answer.status_code == 200 and address.name not in PUBLIC:
                shows_invitation = persona.is_invited and address.name == "account"
                assert shows_invitation or not _others_in(answer, persona), address
    assert wrong == []


def expected_in_the_admin(persona: Persona, address: Address, method: str) -> Iterable[int]:
    """Return the allowed status codes in the admin: staff from Team Member on see their organization's rows.

    Nobody adds, changes or deletes one there, but superusers, who add organizations.
    """
    if address.name == "admin:login":
        return {403} if persona.is_signed_in else {302}
    if address.name == "admin:logout":
        return {302, 405}
    if not persona.is_staff:
        return {302}
    of_a_model = address.name.startswith("admin:integrations_")
    if persona.is_superuser:
        is_list = of_a_model and address.name.endswith("_changelist")
        return {200} if is_list and method == "get" else {200, 302, 403, 404, 405}
    if not of_a_model:
        without_rows = {"admin:index", "admin:password_change", "admin:password_change_done", "admin:jsi18n"}
        if address.name in without_rows:
            return {200, 302, 405}
        is_team = 0 < persona.rank <= 3 or persona.is_stranger
        if address.name == "admin:app_list" and is_team:
            return {200}
        if address.name in OWN_ADMIN_PAGES:
            if not is_team:
                return {403, 405}
            # a log is checked by POST; the page of another organization's candidate is not found
            shown = 302 if address.name == "admin:candidate" else 200  # it leads to the record
            return {404, 405} if persona.is_stranger and address.has_row else {shown, 403, 405}
        # a missing row redirects to the index with a message
        return {302, 403, 404, 405}
    return _expected_of_a_model(persona, address, method)


def _expected_of_a_model(persona: Persona, address: Address, method: str) -> Iterable[int]:
    if persona.is_stranger:
        return {403, 404} if address.has_row else {200, 302, 403}
    if not 0 < persona.rank <= 3 or _has_no_organization(address):
        return {403, 404}
    page = address.name.rpartition("_")[2]
    if page in {"add", "delete"} or (page == "change" and method == "post"):
        return {403}
    return {200} if page in {"changelist", "change"} and method == "get" else {200, 302, 403}


def _has_no_organization(address: Address) -> bool:
    return any(f"_{model.lower()}_" in address.name for model in WITHOUT_ORGANIZATION)


@pytest.mark.parametrize("method", ["get", "post"])
@each(IN_THE_ADMIN)
def test_the_admin_answers_each_role_by_the_contract(client_of, acme, persona, method) -> None:
    client = client_of(persona)
    wrong = []
    for address in addresses.of(acme):
        if address.name.startswith("admin:") and not (address.name == "admin:logout" and method == "post"):
            answer = _request(client, address.url, method)
            if answer.status_code not in expected_in_the_admin(persona, address, method):
                wrong.append((address.name, answer.status_code))
            if (
                answer.status_code == 302
                and not persona.is_staff
                and address.name not in {"admin:login", "admin:logout"}
            ):
                assert answer["Location"].startswith(SIGN_IN), address
            if answer.status_code == 200:
                assert not _others_in(answer, persona), address
                assert "whole-webhook-key" not in answer.content.decode(), address
    assert wrong == []


def _rows_of(customer: Customer) -> dict[str, list[dict[str, Any]]]:
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in apps.get_app_config("integrations").get_models()
        if model.__name__ not in WITHOUT_ORGANIZATION
    }


@each(WITHOUT_RIGHTS)
def test_personas_without_rights_change_no_row(client_of, acme, globex, persona) -> None:
    client = client_of(persona)
    if persona.is_stranger:  # they may change their own; only the customer's addresses are requested
        requested = [address for address in addresses.of(acme) if address.has_row]
    else:
        requested = addresses.of(acme)
    before = _rows_of(acme)
    # everybody may change their e-mails; a wrong password, or code of their new app, is recorded
    own = {"emails-choose", "unsubscribe", "mfa_activate_totp"}
    for address in requested:
        if address.name not in ENDPOINTS | own and not address.name.endswith("logout"):
            client.post(address.url, {"organization": acme.organization.slug, "post": "yes", "role": "admin"})
    assert _rows_of(acme) == before


def test_social_auths_other_addresses_do_nothing(client_of, acme) -> None:
    client = client_of(Persona("super_admin", 1, is_staff=False))
    before = _rows_of(acme)
    for backend in ("lever", "github", "nonsense"):
        for act in ("login", "complete", "disconnect", "idp-launch", "app-launch"):
            url = f"/oauth/{act}/{backend}/"
            if url == "/oauth/login/lever/":
                assert client.get(url).status_code == 405
                continue
            for answer in (client.get(url), client.post(url)):
                assert answer.status_code in {302, 404, 405}, url
    assert _rows_of(acme) == before
