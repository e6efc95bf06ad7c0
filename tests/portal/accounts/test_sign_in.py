"""Signing in and out by name or address, and what is recorded of it."""

from unittest import mock

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support import factories
from tests.support.factories import recorded
from tests.support.second_factors import PASSWORD, sign_in

LOGIN = "/accounts/login/"


def give(login: str, password: str = PASSWORD, **form: str):
    return Client().post(LOGIN, {"login": login, "password": password, **form})


def test_a_name_or_an_address_signs_in_and_is_recorded(super_admin):
    User.objects.filter(pk=super_admin.pk).update(email="Owner@Acme.example")
    for login in (super_admin.username, super_admin.username.upper(), "owner@acme.example"):
        answer = give(login)
        assert (answer.status_code, answer["Location"]) == (302, "/")
    entry = recorded().filter(action="sign_in").latest("pk")
    assert entry.changes == {"method": ["", "password"], "address": ["", "127.0.0.1"]}
    assert entry.actor == super_admin


def test_the_former_address_of_the_page_leads_to_it(db):
    assert Client().get("/login/?next=/activity/")["Location"] == f"{LOGIN}?next=/activity/"
    assert Client().get("/activity/")["Location"] == f"{LOGIN}?next=/activity/"


@pytest.mark.parametrize(
    "target",
    ["word", "login", "//evil.example/", "https://evil.example/", "javascript:alert(1)", "mailto:a@b"],
)
def test_a_next_that_is_no_page_of_this_site_leads_to_the_overview(super_admin, target):
    assert give(super_admin.username, next=target)["Location"] == "/"
    assert give(super_admin.username, next="/activity/")["Location"] == "/activity/"


@pytest.mark.parametrize("name", ["owner", "nobody", "inactive"])
def test_all_failures_read_the_same_and_cost_one_hash(super_admin, monkeypatch, name):
    """A known address, a known name, an unknown one, and an account that was made inactive."""
    if name == "inactive":
        User.objects.filter(pk=super_admin.pk).update(is_active=False)
    login = {"owner": super_admin.email, "inactive": super_admin.username}.get(name, name)
    encode = mock.Mock(wraps=MD5PasswordHasher().encode)
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, *args: encode(*args))
    answer = give(login, PASSWORD if name == "inactive" else "wrong")
    assert "This name or address and this password don&#x27;t belong together." in answer.content.decode()
    assert encode.call_count == 1


def test_an_address_of_two_accounts_signs_in_to_the_one_that_proved_it(super_admin):
    other = factories.UserFactory.create(username="other", email=super_admin.email)
    assert give(super_admin.email).status_code == 200  # nobody's yet: each has a user name
    EmailAddress.objects.create(user=other, email=super_admin.email, verified=True)
    client = Client()
    client.post(LOGIN, {"login": super_admin.email, "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(other.pk)
    other.email = "elsewhere@acme.example"
    other.save()
    assert not EmailAddress.objects.exists()


def test_signing_out_needs_a_post_and_is_recorded(super_admin):
    client = Client()
    sign_in(client, super_admin)
    key = client.cookies["sessionid"].value
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/")["Location"] == LOGIN
    assert recorded().latest("pk").action == "sign_out"
    client.cookies["sessionid"] = key
    assert client.get("/account/").status_code == 302


def test_the_admins_own_sign_in_page_leads_to_the_portals(super_admin_client):
    assert Client().get("/admin/login/?next=/admin/integrations/")["Location"] == (
        f"{LOGIN}?next=%2Fadmin%2Fintegrations%2F"
    )
    answer = super_admin_client.get("/admin/", follow=True)
    assert (answer.status_code, "The admin is for staff" in answer.content.decode()) == (403, True)


def test_requests_without_a_session_cost_no_query(db):
    with CaptureQueriesContext(connection) as queries:
        Client().get("/healthz/live")
        assert not list(queries)
        Client().get(LOGIN)
    assert len(queries) == 1  # which providers have a button
