"""Every address, with anything in its path, query and form, answers each kind of visitor by the contract's role table.

The description of the addresses is made from the URL patterns and the pages (tests/support/openapi.py); schemathesis
generates the requests from it, and sends them to the WSGI application.
"""

import re
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlsplit

import pytest
import responses
import schemathesis
from django.conf import settings as portal_settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.signals import got_request_exception
from django.db import transaction
from django.test import Client
from django.urls import Resolver404, resolve
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import status_code_conformance

from integrations.members.models.membership import Membership
from portal.middleware import HEADERS
from portal.wsgi import application
from tests.admin.conftest import SECRETS, Customer
from tests.pages.test_access import ALLOWED, EVERYBODY, PUBLIC
from tests.support import addresses, hostile, openapi
from tests.support.addresses import Address
from tests.support.second_factors import prove_now
from tests.test_addresses import PERSONAS, Persona, expected_in_the_admin, expected_of_a_page
from tests.test_addresses import acme as acme
from tests.test_addresses import client_of as client_of
from tests.test_addresses import globex as globex

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

#: Requests for each address and method: of visitors who may do much, and of others.
EXAMPLES, FEW_EXAMPLES, ADMIN_EXAMPLES = 2, 1, 1
#: Who sees nothing, least or most; tests/test_addresses.py has every kind of visitor.
NAMES = {"anonymous", "stranger", "limited_team_member", "super_admin, staff", "superuser"}
KINDS = [visitor for visitor in PERSONAS if visitor.name in NAMES]
CSRF = "c" * 32
#: A probe that answers 503 while no worker works.
PROBE = "work"

_DESCRIBED: list[openapi.Described] = []

schemathesis.openapi.format(openapi.HOSTILE, hostile.texts)


@contextmanager
def undone() -> Iterator[None]:
    """Undo what a request changes, so that the next one finds the same rows."""
    cache.clear()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def served(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer a request, and close the answer as a web server does: an exported file is held open until then."""
    answer: Any = application(environ, start_response)
    try:
        return list(answer)
    finally:
        answer.close()


@pytest.fixture
def unforeseen() -> Iterator[list[str]]:
    """The tracebacks of exceptions that no view foresaw."""
    found: list[str] = []

    def take(**_: Any) -> None:
        found.append(traceback.format_exc(limit=-4))

    got_request_exception.connect(take)
    yield found
    got_request_exception.disconnect(take)


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """Reach no platform, wait for nothing, and keep the connection that holds the test's transaction."""
    with (
        responses.RequestsMock(assert_all_requests_are_fired=False),
        mock.patch("django.db.backends.base.base.BaseDatabaseWrapper.close_if_unusable_or_obsolete"),
    ):
        yield


def described(everywhere: list[Address], customer: Customer) -> openapi.Described:
    """Return what each address takes, as seen by somebody who may do everything; read once in each process."""
    if _DESCRIBED:
        return _DESCRIBED[0]
    with transaction.atomic():
        user = User.objects.create_superuser("everything")
        Membership.objects.create(user=user, organization=customer.organization, role="super_admin")
        client = Client(raise_request_exception=False)
        client.force_login(user, backend="portal.accounts.backend.PasswordBackend")
        prove_now(client)
        found = openapi.Described()
        openapi.describe(found, client, everywhere, undone)
        public = [address for address in everywhere if address.name in PUBLIC]
        openapi.describe(found, Client(raise_request_exception=False), public, undone)
        transaction.set_rollback(True)
    _DESCRIBED.append(found)
    return found


def statuses(persona: Persona, address: Address, method: str) -> Iterable[int]:
    """Return the statuses that the role table allows; bad input may be 400 or 404 besides."""
    if address.name.startswith("admin:"):
        expected = set(expected_in_the_admin(persona, address, method))
    elif address.name in set(ALLOWED) | PUBLIC | EVERYBODY:
        expected = set(expected_of_a_page(persona, address, method))
    else:
        return [*range(200, 500), 503] if address.name == PROBE else range(200, 500)
    if persona.is_stranger and address.has_row:  # the path may name a row of their own
        expected |= {200, 302}
    if expected & {200, 302}:
        expected |= {200, 302, 405} if 200 in expected else set()
    return expected | {400, 404, 429}


def test_the_description_names_what_the_views_read(acme) -> None:
    found = described(addresses.of(acme), acme)
    assert {"q", "view", "role", "page"} <= found.query["activity"]
    assert {"person", "since", "until"} <= found.query["audit-export"]
    assert {"codescreen_api_key", "lever_signature_token"} <= found.body["settings"]
    assert "organization" in found.body["switch-organization"]
    assert {"login", "password"} <= found.body["account_login"]
    assert {"roles", "assessment"} <= found.body["mapping-assign"]
    assert {"admin", "team_member"} <= found.values["role"]


@pytest.mark.parametrize("persona", KINDS, ids=lambda persona: persona.name)
def test_any_input_is_answered_by_the_role_table(persona, client_of, acme, globex, unforeseen) -> None:
    own, others = addresses.of(acme), {address.name: address for address in addresses.of(globex)}
    client = client_of(persona)
    document = openapi.document(
        own, described(own, acme), others, lambda address, method: statuses(persona, address, method)
    )
    schema = schemathesis.openapi.from_dict(document)
    schema.app = served
    cookies = {portal_settings.CSRF_COOKIE_NAME: CSRF}
    if session := client.cookies.get(portal_settings.SESSION_COOKIE_NAME):
        cookies[portal_settings.SESSION_COOKIE_NAME] = session.value
    by_name = {address.name: address for address in own}
    wrong: list[str] = []
    unforeseen.clear()
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        address = by_name[operation.definition.raw["operationId"].partition(" ")[2]]
        visit = Visit(persona, address, others[address.name], cookies, unforeseen)
        try:
            visit.try_out(operation)
        except (AssertionError, FailureGroup) as error:  # tell of the other addresses too
            wrong.append(f"{operation.label}: {str(error)[:1500]}")
    assert not wrong, "\n\n".join(wrong)


class Visit:
    """One visitor at one address."""

    def __init__(
        self,
        persona: Persona,
        address: Address,
        other: Address,
        cookies: dict[str, str],
        unforeseen: list[str],
    ) -> None:
        self.persona, self.address, self.other = persona, address, other
        self.cookies, self.unforeseen = cookies, unforeseen

    def try_out(self, operation: Any) -> None:
        """Send what is generated; raise AssertionError at the first answer that is wrong."""
        examples = EXAMPLES if self.persona.is_superuser or self.persona.rank in {1, 2} else FEW_EXAMPLES
        if self.address.name.startswith("admin:") and not self.persona.is_staff:
            examples = 1  # no view is reached
        elif self.address.name.startswith("admin:"):
            examples = ADMIN_EXAMPLES

        @given(case=operation.as_strategy())
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,  # the same input in each run; more EXAMPLES search further
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def send(case: Any) -> None:
            with undone():
                headers = {"X-CSRFToken": CSRF, "Accept-Encoding": "identity"}
                response = case.call(cookies=self.cookies, headers=headers)
            self._check(case, response)

        send()

    def _check(self, case: Any, response: Any) -> None:
        request = (
            f"{case.method} {response.request.url[:300]} {str(case.body)[:600]} → {response.status_code}"
        )
        assert not self.unforeseen, f"{request}\n{self.unforeseen.pop()}"
        assert response.status_code < 500 or self.address.name == PROBE, request
        path = urlsplit(response.request.url).path
        if _name_of(path) == self.address.name:
            case.validate_response(response, checks=[status_code_conformance])
            self._check_rows_of_others(path, response.status_code, request)
        headers = {name.lower(): values for name, values in response.headers.items()}
        self._check_headers(headers, request)
        headers.pop("set-cookie", None)  # a random token may contain any name
        text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", f"{headers}\n{response.text}")
        assert not [secret for secret in SECRETS if secret in text], request
        assert "Traceback (most recent call last)" not in text, request
        if "text/html" in str(headers.get("content-type")):
            assert hostile.SCRIPT not in text, request
        self._check_organization(text.lower(), request)

    def _check_rows_of_others(self, path: str, status: int, request: str) -> None:
        """Raise unless another organization's row is not found."""
        theirs = self.address if self.persona.is_stranger else self.other
        if self.address.has_row and unquote(path) == unquote(theirs.url) and not self.persona.is_superuser:
            assert status != 200 or self.address.name in PUBLIC, request

    def _check_headers(self, headers: dict[str, Any], request: str) -> None:
        given = {name: headers.get(name.lower(), [None])[0] for name in HEADERS}
        assert given == HEADERS, request
        assert "unsafe" not in headers["content-security-policy"][0], request
        assert "no-store" in headers["cache-control"][0], request
        host = urlsplit(headers.get("location", [""])[0]).hostname
        assert host != hostile.EVIL_HOST, request

    def _check_organization(self, text: str, request: str) -> None:
        """Raise if the answer shows something of an organization that the visitor has no part in."""
        if self.persona.is_superuser or self.address.name in PUBLIC:
            return
        other = "acme" if self.persona.is_stranger else "globex"
        is_shown_the_invitation = self.persona.is_invited and self.address.name == "account"
        if not is_shown_the_invitation and other not in request.lower():
            assert other not in text, request


def _name_of(path: str) -> str:
    try:
        return resolve(unquote(path)).view_name
    except Resolver404:
        return ""
