"""A session that is stolen, or left open at an unlocked computer: it changes nothing of weight without a new proof."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.test import Client

from tests.support.factories import recorded
from tests.support.page_text import text
from tests.support.second_factors import PASSWORD, forget_proofs, make_strong, prove_now, sign_in

#: A page of allauth's that wants a fresh proof.
APP = "/accounts/2fa/totp/activate/"
PROOF, CODE = "/accounts/reauthenticate/", "/accounts/2fa/reauthenticate/"


@pytest.fixture
def stolen(super_admin) -> Client:
    """A session whose proof is an hour old."""
    client = Client()
    sign_in(client, super_admin)
    forget_proofs(client)
    return client


@pytest.fixture
def has_app(super_admin) -> None:
    Authenticator.objects.create(user=super_admin, type=Authenticator.Type.TOTP, data={"secret": "x"})


def test_allauths_pages_keep_no_form_while_they_ask(stolen):
    answer = stolen.post(APP, {"code": "planted-secret-code"})
    assert answer["Location"] == f"{PROOF}?next=%2Faccounts%2F2fa%2Ftotp%2Factivate%2F"
    assert "nothing was changed yet" in text(stolen.get(answer["Location"]))
    session = Session.objects.get(pk=stolen.cookies["sessionid"].value)
    assert "planted" not in str(session.get_decoded())
    assert stolen.get(APP)["Location"].startswith(PROOF)


def test_the_password_is_the_proof_and_a_wrong_one_counts_as_at_sign_in(stolen, super_admin):
    for number in range(5):
        assert "t your password" in text(stolen.post(PROOF, {"password": f"guess {number}"}))
    assert recorded().filter(action="fail_sign_in").exists()
    assert stolen.post(PROOF, {"password": PASSWORD}).status_code == 429
    assert Client().post("/accounts/login/", {"login": super_admin.email, "password": "x"}).status_code == 429


def test_a_proof_counts_five_minutes_and_for_a_form_fifteen(client_for, super_admin):
    client = client_for(super_admin)
    for minutes, page, form in ((4, 200, 302), (6, 302, 302), (16, 302, 302)):
        forget_proofs(client, minutes * 60)
        assert client.get(APP).status_code == page
        answer = client.post("/accounts/sessions/")
        assert answer.status_code == form
        assert answer["Location"].startswith(PROOF) is (minutes > 15)


def test_who_has_a_second_factor_proves_with_it_and_not_with_the_password(stolen, has_app):
    prove_now(stolen)
    assert stolen.get(APP)["Location"].startswith(CODE)
    assert stolen.get(PROOF)["Location"] == CODE
    assert stolen.post(PROOF, {"password": PASSWORD})["Location"] == CODE
    make_strong(stolen)
    assert not stolen.get(APP).headers.get("Location", "").startswith(CODE)


def test_a_copied_cookie_shares_no_proof(stolen):
    copy = Client()
    copy.cookies["sessionid"] = stolen.cookies["sessionid"].value
    assert copy.get("/account/").status_code == 200
    assert stolen.post(f"{PROOF}?next={APP}", {"password": PASSWORD})["Location"] == APP
    assert stolen.get(APP).status_code == 200
    assert copy.get(APP)["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("asked_anew", [False, True])
def test_what_a_provider_says_is_no_proof(stolen, asked_anew):
    """Its organization could else plant a factor, which opens what the person joins later."""
    prove_now(stolen, "socialaccount", reauthenticated=asked_anew)
    assert stolen.get(APP)["Location"].startswith(PROOF)


def test_a_proof_that_a_node_took_whose_clock_is_ahead_counts(stolen):
    forget_proofs(stolen, -3)
    assert stolen.get(APP).status_code == 200
    forget_proofs(stolen, -3600)
    assert stolen.get(APP)["Location"].startswith(PROOF)


def test_proofs_of_another_person_in_the_same_browser_are_no_proof(stolen, team_member):
    session = stolen.session
    prove_now(stolen)
    records = stolen.session["account_authentication_methods"]
    session["account_authentication_methods"] = records
    session["account_authentication_methods_user"] = str(team_member.pk)
    session.save()
    assert stolen.get(APP)["Location"].startswith(PROOF)
