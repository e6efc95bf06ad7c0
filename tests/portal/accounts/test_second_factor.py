"""Second factors: set up after a fresh proof, asked for at sign-in, each code once, few attempts, and the record."""

import re
from unittest.mock import Mock

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from integrations.accounts.acts import second_factors
from integrations.accounts.models.attempts import Limit
from integrations.audit.models.entry import AuditAction
from portal.accounts import second_factor
from tests.support.factories import recorded
from tests.support.mailbox import sent_emails
from tests.support.second_factors import (
    code_of,
    make_strong,
    prove_now,
    sign_in,
    with_app,
    with_passkey,
    with_recovery_codes,
)

FACTORS, ADD_APP, ASK = "/accounts/2fa/", "/accounts/2fa/totp/activate/", "/accounts/2fa/authenticate/"
LOGIN = "/accounts/login/"


def actions() -> list[str]:
    return [entry.action for entry in recorded().order_by("pk")]


def secret_on(page: str) -> str:
    """Return the secret that the page shows for the app."""
    [secret] = re.findall(r'value="([A-Z2-7]{32})"', page)
    return secret


@pytest.mark.django_db(transaction=True)
def test_an_app_is_set_up_by_its_secret_and_a_code_and_brings_recovery_codes(super_admin, super_admin_client):
    prove_now(super_admin_client)
    secret = secret_on(super_admin_client.get(ADD_APP).content.decode())
    answer = super_admin_client.post(ADD_APP, {"code": code_of(secret)}, follow=True)
    codes = re.findall(r"\b\d{10}\b", answer.content.decode())
    assert len(set(codes)) == 10
    assert AuditAction.ADD_SECOND_FACTOR in actions()
    assert AuditAction.MAKE_RECOVERY_CODES in actions()
    stored = str(list(Authenticator.objects.values("data")))
    assert secret not in stored
    assert not any(code in stored for code in codes)


@pytest.mark.parametrize(
    "path", [ADD_APP, "/accounts/2fa/webauthn/add/", "/accounts/2fa/recovery-codes/generate/"]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_factor_can_not_be_planted_in_a_session_without_a_fresh_proof(super_admin, client, path, method):
    with_app(super_admin)
    client.force_login(super_admin)
    answer = getattr(client, method)(path)
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert Authenticator.objects.count() == 1


def test_the_code_is_asked_for_between_the_password_and_the_session(super_admin, client):
    app = with_app(super_admin)
    assert sign_in(client, super_admin)["Location"].startswith(ASK)
    assert client.get("/settings/").status_code == 302
    client.post(ASK, {"code": "000000"})
    assert "_auth_user_id" not in client.session
    assert AuditAction.FAIL_SECOND_FACTOR in actions()
    client.post(ASK, {"code": code_of(app)})
    assert client.get("/settings/").status_code == 200


def test_a_code_opens_one_session(super_admin):
    app, first, second = with_app(super_admin), Client(), Client()
    code = code_of(app)
    for client in (first, second):
        sign_in(client, super_admin)
        answer = client.post(ASK, {"code": code})
        cache.clear()  # that of another process knows nothing
    assert "used already" in answer.content.decode()
    assert "_auth_user_id" in first.session
    assert "_auth_user_id" not in second.session


def test_a_recovery_code_works_once_and_its_person_is_told(super_admin):
    with_app(super_admin)
    [code, *_] = with_recovery_codes(super_admin)
    for opens in (True, False):
        client = Client()
        sign_in(client, super_admin)
        client.post(ASK, {"code": code})
        assert ("_auth_user_id" in client.session) is opens
    assert recorded().get(action=AuditAction.USE_RECOVERY_CODE).changes == {"unused codes": [10, 9]}
    assert "A recovery code of your account was used" in [message.subject for message in sent_emails()]


def test_a_right_code_is_not_checked_after_many_wrong_ones_of_which_the_person_is_told(super_admin, client):
    app = with_app(super_admin)
    sign_in(client, super_admin)
    for _ in range(5):
        client.post(ASK, {"code": "000000"})
    answer = client.post(ASK, {"code": code_of(app)})
    assert "Wait" in answer.content.decode()
    assert "_auth_user_id" not in client.session
    assert [message.subject for message in sent_emails()] == [
        "Wrong second factors for your account of the CodeScreen–Lever portal"
    ]


@pytest.mark.parametrize("change", ["add an app", "remove an app", "remove a passkey"])
def test_no_factor_is_kept_or_removed_without_its_entry(super_admin, super_admin_client, monkeypatch, change):
    if change == "add an app":
        prove_now(super_admin_client)
        page, code = ADD_APP, code_of(secret_on(super_admin_client.get(ADD_APP).content.decode()))
    else:
        factor = with_app(super_admin) if change == "remove an app" else with_passkey(super_admin)
        make_strong(super_admin_client)
        remove = "totp/deactivate/" if change == "remove an app" else f"webauthn/keys/{factor.pk}/remove/"
        page, code = f"{FACTORS}{remove}", ""
    before = Authenticator.objects.count()
    monkeypatch.setattr(second_factor, "record_for_person", Mock(side_effect=RuntimeError))
    with pytest.raises(RuntimeError):
        super_admin_client.post(page, {"code": code})
    assert Authenticator.objects.count() == before


def test_wrong_passkeys_are_recorded_and_told(super_admin, monkeypatch):
    monkeypatch.setattr(second_factors, "ENTRIES", Limit(5, 600.0))
    with_passkey(super_admin)
    waiting = Client()
    sign_in(waiting, super_admin)
    for _ in range(7):
        waiting.post(ASK, {"credential": '{"id": "x"}'})
    wrong = recorded().filter(action=AuditAction.FAIL_SECOND_FACTOR)
    assert [entry.changes for entry in wrong] == [{"factor": ["", "passkey"]}] * 5
    assert "Wrong second factors" in sent_emails()[0].subject
    Client().post("/accounts/2fa/webauthn/login/", {"credential": '{"id": "x"}'})
    assert recorded().get(action=AuditAction.FAIL_SIGN_IN).changes["method"] == ["", "passkey"]


@pytest.mark.parametrize(
    "answer",
    ['{"id": "x"}', '{"id": "x", "type": "public-key"}', "[" * 20_000],
    ids=["short", "typed", "deep"],
)
def test_a_passkeys_answer_that_cannot_be_read_is_a_wrong_one(super_admin, client_for, answer):
    with_app(super_admin)
    waiting, inside = Client(), client_for(super_admin)
    sign_in(waiting, super_admin)
    make_strong(inside)
    for client, kind, status in (
        (Client(), "login", 302),
        (inside, "reauthenticate", 302),
        (inside, "add", 200),
    ):
        answered = client.post(f"/accounts/2fa/webauthn/{kind}/", {"credential": answer})
        assert answered.status_code == status
    assert waiting.post(ASK, {"credential": answer}).status_code == 200


def test_a_sign_in_that_awaits_its_second_factor_ends_with_the_password(super_admin):
    app, waiting = with_app(super_admin), Client()
    assert sign_in(waiting, super_admin)["Location"] == ASK
    super_admin.set_password("seven green bicycles")
    super_admin.save()
    assert waiting.post(ASK, {"code": code_of(app)})["Location"] == LOGIN
    assert waiting.get("/account/").status_code == 302


def test_people_sign_in_while_redis_is_away(super_admin, settings):
    away = {"BACKEND": "portal.django_parts.ForgetfulRedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "default": away}
    app, client = with_app(super_admin), Client()
    assert sign_in(client, super_admin)["Location"] == ASK
    code = code_of(app)
    assert client.post(ASK, {"code": code})["Location"] == "/"
    assert client.post("/accounts/password/reset/", {"email": "nobody@portal.example"}).status_code == 302
    again = Client()
    sign_in(again, super_admin)
    assert "used already" in again.post(ASK, {"code": code}).content.decode()
