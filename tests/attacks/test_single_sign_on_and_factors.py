"""Single sign-on together with second factors, limits of passwords and memberships: no one of them weakens another."""

import re
import time
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client

from integrations.accounts.acts.fresh_proof import SECOND_FACTOR_SESSION_KEY
from integrations.accounts.models.second_factors import AuthenticatorApp
from integrations.accounts.models.sessions import AttemptLimit, Limit, UserSession
from integrations.members.models.membership import PROVIDER_SESSION_KEY, Membership
from integrations.single_sign_on.models import IdentityProvider, SignInDomain
from integrations.store import database
from portal.accounts import throttle
from tests.portal.accounts.single_sign_on_scene import begin, is_signed_in, prove, set_up, sign_in
from tests.support import factories
from tests.support.identity_provider import Provider, fake_wire
from tests.support.second_factors import code_of, with_app

CAROL = "carol@acme.example"
SECOND_FACTOR = "/login/second-factor/"


@pytest.fixture
def carol(acme, globex):
    """A Team Member of Acme, whose provider vouches for her, and of Globex, which has nothing to do with it."""
    user = factories.UserFactory.create(username="carol", email=CAROL)
    for organization in (acme, globex):
        Membership.objects.create(
            user=user, organization=organization, role=Membership.Role.TEAM_MEMBER, address=CAROL
        )
    return user


@pytest.fixture
def provider(acme, wire):
    prove(acme)
    provider = Provider("https://login.acme.example", email=CAROL)
    fake_wire(provider, wire)
    set_up(acme, provider, counts_as_second_factor=False)
    return provider


def test_a_session_that_waited_for_the_second_factor_opens_the_providers_organization_alone(
    client, provider, carol
):
    app = with_app(carol)
    assert sign_in(client, provider)["Location"] == SECOND_FACTOR
    assert not is_signed_in(client)
    assert client.get("/account/")["Location"].startswith("/login/")
    assert client.post(SECOND_FACTOR, {"code": code_of(app)})["Location"] == "/"
    assert PROVIDER_SESSION_KEY in client.session
    page = client.get("/").content.decode()
    assert "Acme" in page
    assert "Globex" not in page
    assert client.post("/organization/", {"organization": "globex"}).status_code == 404
    assert client.get("/account/second-factor/").status_code == 403


def test_a_provider_that_is_switched_off_while_the_second_factor_is_asked_for_opens_nothing(
    client, provider, carol
):
    app = with_app(carol)
    sign_in(client, provider)
    IdentityProvider.objects.update(mode="off")
    client.post(SECOND_FACTOR, {"code": code_of(app)})
    assert client.get("/").status_code == 403


def test_a_provider_does_not_satisfy_the_requirement_of_a_second_factor_unless_it_counts(
    client, provider, acme, carol
):
    acme.requires_second_factor = True
    acme.save()
    sign_in(client, provider)
    assert client.get("/")["Location"].startswith("/account/second-factor/")
    app = with_app(carol)
    assert client.get("/")["Location"].startswith(SECOND_FACTOR)
    client.post(SECOND_FACTOR, {"code": code_of(app)})
    assert client.session[SECOND_FACTOR_SESSION_KEY] == "authenticator_app"
    assert PROVIDER_SESSION_KEY in client.session
    assert "Acme" in client.get("/").content.decode()


APP, CONFIRM = "/account/second-factor/app/", "/account/confirm/?next=/account/second-factor/app/"
CONFIRM_AGAIN = "/account/confirm/?next=%2Faccount%2Fsecond-factor%2Fapp%2F"


@pytest.fixture
def session(client, provider, acme):
    """The session of a member of Acme alone, without a password, whose browser signed in at the provider hours ago."""
    user = factories.UserFactory.create(username="dave", email=CAROL, password=None)
    Membership.objects.create(user=user, organization=acme, role=Membership.Role.TEAM_MEMBER, address=CAROL)
    provider.signed_in_at -= 7200
    sign_in(client, provider)
    assert is_signed_in(client)
    return client


def ask_anew(session, page: str = CONFIRM) -> str:
    """Press the button, and return the provider's address that it leads to."""
    return unescape(session.post(page, {"provider": "1"})["Refresh"].removeprefix("0; url="))


def come_back(session, provider, address: str) -> str:
    """Return from the provider; return where that leads."""
    back = provider.authorize(address)
    return str(session.get(back.removeprefix("http://testserver"))["Location"])


def without_question(address: str) -> str:
    """Return the provider's address as somebody changes it who can't sign in there anew."""
    return re.sub("[?&](prompt|max_age)=[^&]*", "", address)


def test_a_stolen_session_of_a_provider_plants_no_first_second_factor(session, provider):
    assert session.get(APP)["Location"].startswith("/account/confirm/")
    assert come_back(session, provider, without_question(ask_anew(session))) == CONFIRM_AGAIN
    assert "signed in there just now" in session.get(CONFIRM).content.decode()
    assert session.get(APP)["Location"].startswith("/account/confirm/")
    assert session.post(APP, {"code": "000000"})["Location"].startswith("/account/confirm/")
    assert not AuthenticatorApp.objects.exists()


def test_a_member_without_a_password_sets_up_their_first_factor_after_a_new_sign_in(session, provider):
    page = session.get(CONFIRM).content.decode()
    assert 'name="password"' not in page
    assert come_back(session, provider, ask_anew(session)) == APP
    assert session.get(APP).status_code == 200
    session.post(APP, {"code": code_of(AuthenticatorApp.objects.get())})
    assert AuthenticatorApp.objects.confirmed().exists()


@pytest.mark.parametrize("said", [None, True, "now", float("nan"), -7200, 7200])
def test_what_a_provider_says_otherwise_of_the_time_is_no_proof(session, provider, said):
    at = int(time.time()) + said if type(said) is int else said
    provider.changes = {"auth_time": at}
    assert come_back(session, provider, ask_anew(session)) == CONFIRM_AGAIN
    assert session.get(APP).status_code == 302


def test_another_person_at_the_provider_is_no_proof(session, provider):
    provider.subject, provider.email = "subject-2", "mallory@acme.example"
    assert come_back(session, provider, ask_anew(session)) == CONFIRM_AGAIN
    assert "signed in somebody else" in session.get(CONFIRM).content.decode()
    assert session.get(APP).status_code == 302


@pytest.mark.parametrize("rows", [SignInDomain, Membership])
def test_a_provider_that_may_no_longer_sign_the_person_in_is_no_proof(session, provider, rows):
    address = ask_anew(session)
    rows.objects.all().delete()
    assert come_back(session, provider, address) == CONFIRM_AGAIN
    assert session.get(APP)["Location"].startswith("/account/confirm/")


def test_a_sign_in_that_the_person_made_minutes_after_a_thief_asked_is_no_proof(
    session, provider, monkeypatch
):
    address, now = without_question(ask_anew(session)), database.now()
    provider.signed_in_at = int(time.time())
    monkeypatch.setattr(database, "now", lambda: now + timedelta(minutes=14))
    provider.changes = {"auth_time": int(time.time()) - 360}
    assert come_back(session, provider, address) == CONFIRM_AGAIN
    assert session.get(APP).status_code == 302


def test_a_usual_sign_in_after_the_question_is_no_proof(session, provider):
    ask_anew(session)
    assert sign_in(session, provider)["Location"] == "/"
    assert session.get(APP)["Location"].startswith("/account/confirm/")


def test_a_provider_whose_sign_in_counts_as_second_factor_still_opens_no_page_of_the_factors(
    session, provider
):
    IdentityProvider.objects.update(counts_as_second_factor=True)
    assert come_back(session, provider, ask_anew(session)) == APP
    assert session.get(APP).status_code == 403


def test_a_provider_that_is_off_or_not_the_sessions_is_not_asked(session, client_for, carol):
    IdentityProvider.objects.update(mode="off")
    assert "Refresh" not in session.post(CONFIRM, {"provider": "1"})
    assert "Refresh" not in client_for(carol).post(CONFIRM, {"provider": "1"})


def test_who_runs_a_provider_gets_no_limit_of_their_own_to_guess_the_password(provider, carol, monkeypatch):
    """Each browser that the provider signs in could otherwise try as many passwords as a known one, without end."""
    monkeypatch.setattr(throttle, "NAME_AT_ADDRESS", (Limit(3, 600.0),))
    statuses = []
    for _ in range(5):
        client = Client()
        sign_in(client, provider)
        assert is_signed_in(client)
        client.post("/logout/")
        assert "device" not in client.cookies
        answer = client.post("/login/", {"username": "carol", "password": "guess"})
        statuses.append(answer.status_code)
    assert statuses == [200, 200, 200, 429, 429]


def test_a_network_from_which_only_a_provider_signed_in_keeps_the_limit_of_the_name(provider, carol):
    sign_in(Client(), provider)
    assert UserSession.objects.exists()
    assert not throttle.has_signed_in_from("carol", "127.0.0.1")
    Client().post("/login/", {"username": "carol", "password": "correct horse battery"})
    assert throttle.has_signed_in_from("carol", "127.0.0.1")


def test_one_address_begins_no_endless_sign_ins_by_a_provider(client, provider, carol, monkeypatch):
    monkeypatch.setattr(throttle, "TO_PROVIDERS", (Limit(2, 600.0),))
    begin(client)
    assert client.post("/sso/login/", {"email": "x@unknown.example"}).status_code == 200
    answer = client.post("/sso/login/", {"email": CAROL})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "passwords" not in answer.content.decode()
    assert client.post("/sso/login/", {"email": CAROL}, REMOTE_ADDR="192.0.2.77").status_code == 200
    assert not any("127.0.0.1" in limit.key for limit in AttemptLimit.objects.all())
