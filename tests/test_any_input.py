"""Every address, with anything in its path, query and form, answers each kind of visitor by the contract's role table.

What each address takes is read from the URL patterns and the pages (tests/support/inputs.py).
"""

import random
import re
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import unquote, urlsplit

import pytest
import responses
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.signals import got_request_exception
from django.db import transaction
from django.test import Client
from django.urls import Resolver404, resolve

from integrations.members.models.membership import Membership
from portal.middleware import HEADERS
from tests.admin.conftest import SECRETS, Customer
from tests.admin.conftest import acme as acme
from tests.admin.conftest import globex as globex
from tests.pages.test_access import ALLOWED, EVERYBODY, PUBLIC
from tests.support import addresses, hostile
from tests.support.addresses import Address
from tests.support.inputs import Inputs, Request
from tests.support.second_factors import signed_in
from tests.test_addresses import PERSONAS, Persona, expected_in_the_admin, expected_of_a_page
from tests.test_addresses import client_of as client_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

#: Requests for each address and method: of visitors who may do much, and of others. More search further.
EXAMPLES, FEW_EXAMPLES = 3, 1
#: Who sees nothing, least or most; tests/test_addresses.py has every kind of visitor.
NAMES = {"anonymous", "stranger", "limited_team_member", "super_admin, staff", "superuser"}
KINDS = [visitor for visitor in PERSONAS if visitor.name in NAMES]
#: A probe that answers 503 while no worker works.
PROBE = "work"

_READ: list[Inputs] = []


@contextmanager
def undone() -> Iterator[None]:
    """Undo what a request changes, so that the next one finds the same rows."""
    cache.clear()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


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


def inputs_of(everywhere: list[Address], customer: Customer) -> Inputs:
    """Return what each address takes, as seen by somebody who may do everything; read once in each process."""
    if _READ:
        return _READ[0]
    with transaction.atomic():
        user = User.objects.create_superuser("everything")
        Membership.objects.create(user=user, organization=customer.organization, role="super_admin")
        client = signed_in(user)
        client.raise_request_exception = False
        found = Inputs()
        found.read(client, everywhere, undone)
        public = [address for address in everywhere if address.name in PUBLIC]
        found.read(Client(raise_request_exception=False), public, undone)
        transaction.set_rollback(True)
    _READ.append(found)
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


def test_the_inputs_are_those_that_the_views_read(acme) -> None:
    found = inputs_of(addresses.of(acme), acme)
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
    inputs, client = inputs_of(own, acme), client_of(persona)
    client.raise_request_exception = False
    signed_in = client.cookies.output(header="", sep=";")
    may_much = persona.is_superuser or persona.rank in {1, 2}
    unforeseen.clear()
    wrong = []
    for address in own:
        visit = Visit(persona, address, others[address.name])
        is_few = not may_much or address.name.startswith("admin:")
        for number in range(2 * (FEW_EXAMPLES if is_few else EXAMPLES)):
            chance = random.Random(f"{address.name} {number}")  # the same input in each run
            request = inputs.draw(chance, address, visit.other, is_post=number % 2 == 1)
            client.cookies = SimpleCookie(signed_in)  # one of the addresses signs out
            with undone():
                answer = request.send(client)
            try:
                assert not unforeseen, unforeseen.pop()
                visit.check(request, answer)
            except AssertionError as error:  # tell of the other addresses too
                wrong.append(f"{request} → {answer.status_code}"[:900] + f": {str(error)[:1500]}")
    assert not wrong, "\n\n".join(wrong)


class Visit(NamedTuple):
    """One visitor at one address; `other` is that of the organization in which they have no part."""

    persona: Persona
    address: Address
    other: Address

    def check(self, request: Request, answer: Any) -> None:
        """Raise an AssertionError if the answer is wrong."""
        assert answer.status_code < 500 or self.address.name == PROBE
        path, method = urlsplit(request.address).path, "get" if request.form is None else "post"
        if _name_of(path) == self.address.name:
            assert answer.status_code in statuses(self.persona, self.address, method)
            self._check_rows_of_others(path, answer.status_code)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "no-store" in answer.headers["Cache-Control"]
        assert urlsplit(answer.headers.get("Location", "")).hostname != hostile.EVIL_HOST
        text = f"{answer.headers}\n{answer.getvalue().decode(errors='replace')}"
        text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)  # may contain any name by chance
        assert not [secret for secret in SECRETS if secret in text]
        assert "Traceback (most recent call last)" not in text
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            assert hostile.SCRIPT not in text
        self._check_organization(str(request).lower(), text.lower())

    def _check_rows_of_others(self, path: str, status: int) -> None:
        """Raise unless another organization's row is not found."""
        theirs = self.address if self.persona.is_stranger else self.other
        if self.address.has_row and unquote(path) == unquote(theirs.url) and not self.persona.is_superuser:
            assert status != 200 or self.address.name in PUBLIC

    def _check_organization(self, requested: str, text: str) -> None:
        """Raise if the answer shows something of an organization that the visitor has no part in."""
        other = "acme" if self.persona.is_stranger else "globex"
        if not self.persona.is_superuser and self.address.name not in PUBLIC and other not in requested:
            assert other not in text


def _name_of(path: str) -> str:
    try:
        return resolve(unquote(path)).view_name
    except Resolver404:
        return ""
