"""A session that is stolen, or left open at an unlocked computer: it plants no second factor without the password."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from integrations.accounts.acts.second_factors import attempt_keys
from integrations.accounts.models.second_factors import AuthenticatorApp, Passkey, RecoveryCode
from integrations.accounts.models.sessions import AttemptLimit, UserSession
from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.notifications.links import reset_password_link
from integrations.queue import worker
from integrations.store import database
from tests.support.second_factors import (
    PASSWORD,
    SecurityKey,
    change_session,
    code_of,
    make_strong,
    options_in,
    sign_in,
    use_passkey_address,
    with_app,
)

OVERVIEW = "/account/second-factor/"
APP, PASSKEYS, CONFIRM = f"{OVERVIEW}app/", f"{OVERVIEW}passkeys/", "/account/confirm/"


def sessions(user) -> tuple[Client, Client]:
    """Return the person's own session, just begun, and a stolen one whose proof is hours old."""
    own, stolen = Client(), Client()
    for client in (own, stolen):
        sign_in(client, user)
    change_session(stolen, proven_at=database.now().timestamp() - 3600)
    return own, stolen


def secrets_in(page: str) -> bool:
    return ("<svg" in page and "qr-code" in page) or bool(re.search(r"([A-Z2-7]{4} ){7}", page))


def test_a_wrong_code_from_an_old_session_gets_no_secret_but_the_question_for_the_password(super_admin):
    _, stolen = sessions(super_admin)
    answer = stolen.post(APP, {"code": "000000"})
    assert answer["Location"].startswith(CONFIRM)
    assert not AuthenticatorApp.objects.exists()


def test_an_app_that_another_session_sets_up_is_not_confirmed_from_an_old_one(super_admin):
    own, stolen = sessions(super_admin)
    own.get(APP)
    answer = stolen.post(APP, {"code": code_of(AuthenticatorApp.objects.get())})
    assert answer["Location"].startswith(CONFIRM)
    assert not AuthenticatorApp.objects.confirmed().exists()
    assert not RecoveryCode.objects.exists()


def test_an_app_is_not_replaced_from_an_old_session(super_admin):
    app = with_app(super_admin)
    stolen = Client()
    stolen.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    make_strong(stolen)
    change_session(stolen, proven_at=0.0)
    newer = AuthenticatorApp.begin_set_up(super_admin, database.now())
    assert stolen.post(APP, {"code": code_of(newer)})["Location"].startswith(CONFIRM)
    assert AuthenticatorApp.objects.confirmed().get() == app


def test_a_form_for_a_passkey_from_an_old_session_gets_no_challenge(super_admin, settings):
    key = SecurityKey(use_passkey_address(settings))
    own, stolen = sessions(super_admin)
    made = key.make(options_in(own.get(PASSKEYS)))
    for form in ({}, {"name": "mine", "passkey": made}):
        assert stolen.post(PASSKEYS, form)["Location"].startswith(CONFIRM)
    assert "passkey_challenge" not in stolen.session
    assert not Passkey.objects.exists()


@pytest.mark.parametrize("proof", ["password", "second factor"])
def test_a_copied_cookie_shares_no_proof(super_admin, proof):
    own, copy = Client(), Client()
    sign_in(own, super_admin)
    change_session(own, proven_at=database.now().timestamp() - 3600)
    copy.cookies["sessionid"] = own.cookies["sessionid"].value
    assert copy.get("/account/").status_code == 200
    if proof == "password":
        own.post(CONFIRM, {"password": PASSWORD, "next": PASSKEYS})
    else:  # an app that was set up meanwhile, whose code this session has never given
        own.post("/login/second-factor/", {"code": code_of(with_app(super_admin))})
    assert own.get(PASSKEYS).status_code == 200
    assert copy.get(PASSKEYS)["Location"].startswith("/login/")


@pytest.mark.parametrize("named", ["session", "others"])
def test_a_stolen_session_signs_its_person_out_nowhere(super_admin, named):
    own, stolen = sessions(super_admin)
    row = UserSession.objects.earliest("pk").pk
    answer = stolen.post("/account/sessions/", {named: row})
    assert answer["Location"] == f"{CONFIRM}?next=%2Faccount%2Fsessions%2F"
    assert "Then send the form again" in stolen.get(answer["Location"]).content.decode()
    assert own.get("/account/").status_code == 200


def test_no_answer_to_a_form_holds_a_secret_or_a_challenge(super_admin, settings):
    use_passkey_address(settings)
    own, _ = sessions(super_admin)
    assert secrets_in(own.get(APP).content.decode())
    assert not secrets_in(own.post(APP, {"code": "000000"}).content.decode())
    own.get(PASSKEYS)
    for form in ({}, {"name": "key", "passkey": "{}"}):
        assert b"challenge" not in own.post(PASSKEYS, form).content


def test_a_page_that_was_shown_counts_for_its_form_until_the_set_up_is_too_old(super_admin, monkeypatch):
    own, _ = sessions(super_admin)
    own.get(APP)
    code, shown_at = code_of(AuthenticatorApp.objects.get()), database.now()
    monkeypatch.setattr(database, "now", lambda: shown_at + timedelta(minutes=16))
    assert own.post(APP, {"code": code})["Location"].startswith(CONFIRM)
    monkeypatch.setattr(database, "now", lambda: shown_at + timedelta(minutes=14))
    app = AuthenticatorApp.objects.get()
    assert b"<code>" in own.post(APP, {"code": code_of(app)}).content


def test_a_page_that_was_shown_counts_for_no_other_form(super_admin):
    own, _ = sessions(super_admin)
    own.get(APP)
    change_session(own, proven_at=0.0)
    assert own.post(PASSKEYS, {"name": "key"})["Location"].startswith(CONFIRM)


def test_codes_of_an_app_that_is_being_set_up_can_not_be_guessed(super_admin):
    """A thief shares the session, but hasn't seen the page: a code that is hit would show them the recovery codes."""
    own, stolen = sessions(super_admin)
    own.get(APP)
    stolen.cookies = own.cookies
    app = AuthenticatorApp.objects.get()
    wrong = [f"{(int(code_of(app)) + number) % 10**6:06}" for number in range(3, 8)]
    assert [stolen.post(APP, {"code": code}).status_code for code in wrong] == [200] * 5
    answer = stolen.post(APP, {"code": code_of(app)})
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    assert "Too many wrong codes. Wait" in answer.content.decode()
    assert not AuthenticatorApp.objects.confirmed().exists()
    assert AuditEntry.objects.filter(action=AuditAction.FAIL_SECOND_FACTOR).count() == 5
    worker.work()
    [message] = mail.outbox
    assert "Wrong second factors" in message.subject
    AttemptLimit.objects.all().delete()  # the time is over
    own.post(APP, {"code": code_of(app)})
    assert AuthenticatorApp.objects.confirmed().get() == app
    assert not AttemptLimit.objects.filter(pk__in=attempt_keys(super_admin)).exists()


def test_one_page_sets_up_one_app(super_admin):
    own, _ = sessions(super_admin)
    own.get(APP)
    own.post(APP, {"code": code_of(AuthenticatorApp.objects.get())})
    newer = AuthenticatorApp.begin_set_up(super_admin, database.now())
    change_session(own, proven_at=0.0)
    assert own.post(APP, {"code": code_of(newer)})["Location"].startswith(CONFIRM)


@pytest.mark.parametrize("by_link", [False, True])
def test_who_gets_a_new_password_is_led_to_review_the_factors_that_stay(super_admin, settings, by_link):
    key = SecurityKey(use_passkey_address(settings))
    thief = Client()
    sign_in(thief, super_admin)
    thief.post(PASSKEYS, {"name": "planted", "passkey": key.make(options_in(thief.get(PASSKEYS)))})
    assert Passkey.objects.exists()
    client = _with_new_password(super_admin, key, by_link=by_link)
    page = client.get(f"{OVERVIEW}?review=1").content.decode()
    assert "planted" in page
    assert "remove what you don't know" in page.replace("&#x27;", "'")
    assert thief.get("/account/").status_code == 302


def _with_new_password(user, key: SecurityKey, *, by_link: bool) -> Client:
    """Let the person choose a new password, with the factor that they are asked for; check where they are led."""
    client, new = Client(), "seven green bicycles"
    if not by_link:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        make_strong(client)
        form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        answer = client.post("/account/password/", form)
    else:
        user.refresh_from_db()
        page = client.get(reset_password_link(user), follow=True)
        client.post(page.request["PATH_INFO"], {"new_password1": new, "new_password2": new})
        question = options_in(client.get("/login/second-factor/"))
        answer = client.post("/login/second-factor/", {"passkey": key.sign(question)})
    assert answer["Location"] == f"{OVERVIEW}?review=1"
    return client
