"""Between the password and the session: no way around the second factor, and no guessing it."""

import re

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from integrations.accounts.acts.second_factors import attempt_keys, take_factor_attempt
from integrations.accounts.models.second_factors import RecoveryCode
from integrations.accounts.models.sessions import AttemptLimit
from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.notifications.links import choose_password_link
from integrations.queue import worker
from portal.accounts import completion
from tests.support import factories
from tests.support.attempt_limits import let_pass
from tests.support.second_factors import (
    PASSWORD,
    code_of,
    make_strong,
    prove_now,
    sign_in,
    with_app,
    with_recovery_codes,
)

PAGE = "/login/second-factor/"


@pytest.fixture
def app(super_admin):
    return with_app(super_admin)


def is_signed_in(client: Client) -> bool:
    return bool(client.get("/").status_code == 200)


def entries(action: AuditAction) -> int:
    return AuditEntry.objects.filter(action=action).count()


def wrong_code_of(app) -> str:
    near = {code_of(app, steps) for steps in range(-3, 4)}
    return next(
        code for code in ("000000", "111111", "222222", *map(str, range(333333, 333350))) if code not in near
    )


def test_a_password_alone_opens_nothing(client, super_admin, app):
    assert sign_in(client, super_admin)["Location"] == PAGE
    for address in ("/", "/settings/", "/account/", "/account/second-factor/", "/admin/", "/audit/export/"):
        answer = client.get(address, follow=True)
        assert answer.request["PATH_INFO"] == "/login/", address
    assert super_admin.email not in client.get(PAGE).content.decode()


def test_the_code_begins_the_session_where_the_person_wanted_to_go(client, super_admin, app):
    sign_in(client, super_admin, next_url="/activity/")
    answer = client.post(PAGE, {"code": code_of(app)})
    assert answer["Location"] == "/activity/"
    assert is_signed_in(client)
    assert client.session["second_factor"] == "authenticator_app"


def test_no_search_for_a_candidate_waits_in_the_session(client, super_admin, app):
    wanted = "/activity/?q=Alder+Birch&view=held&candidate=7"
    sign_in(client, super_admin, next_url=wanted)
    assert "Alder" not in str(dict(client.session))
    assert client.post(PAGE, {"code": code_of(app)})["Location"] == "/activity/?view=held&candidate=7"


def test_a_code_with_a_space_in_it_is_right_too(client, super_admin, app):
    sign_in(client, super_admin)
    code = code_of(app)
    client.post(PAGE, {"code": f" {code[:3]} {code[3:]} "})
    assert is_signed_in(client)


def test_a_code_is_good_for_one_sign_in(super_admin, app):
    code = code_of(app)
    for client, is_in in ((Client(), True), (Client(), False)):
        sign_in(client, super_admin)
        client.post(PAGE, {"code": code})
        assert is_signed_in(client) is is_in


def test_the_link_to_choose_a_password_stores_it_and_then_asks(client, super_admin, app):
    page = client.get(choose_password_link(super_admin), follow=True)
    chosen = {"new_password1": "plum garden violin 47", "new_password2": "plum garden violin 47"}
    assert client.post(page.request["PATH_INFO"], chosen)["Location"] == PAGE
    assert not is_signed_in(client)
    super_admin.refresh_from_db()
    assert super_admin.check_password("plum garden violin 47")
    client.post(PAGE, {"code": code_of(app)})
    assert is_signed_in(client)


def test_the_admins_sign_in_asks_too(client, super_admin, app):
    User.objects.filter(pk=super_admin.pk).update(is_staff=True)
    page = client.get("/admin/", follow=True)
    assert page.request["PATH_INFO"] == "/login/"
    answer = client.post(
        page.request["PATH_INFO"], {"username": super_admin.username, "password": PASSWORD, "next": "/admin/"}
    )
    assert answer["Location"] == PAGE
    assert client.get("/admin/").status_code == 302
    assert client.post(PAGE, {"code": code_of(app)})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_nobody_gets_to_the_page_without_the_first_proof(client, db):
    assert client.get(PAGE)["Location"] == "/login/"
    assert client.post(PAGE, {"code": "123456"})["Location"] == "/login/"


def test_the_page_names_no_other_site_to_go_to(client, super_admin, app):
    sign_in(client, super_admin, next_url="https://evil.example/")
    assert client.post(PAGE, {"code": code_of(app)})["Location"] == "/"


def test_a_planted_session_key_is_worth_nothing_after_each_step(client, super_admin, app, settings):
    client.get("/login/")
    client.session.save()
    keys = [client.session.session_key]
    sign_in(client, super_admin)
    keys.append(client.session.session_key)
    client.post(PAGE, {"code": code_of(app)})
    keys.append(client.session.session_key)
    assert len(set(keys)) == 3
    for planted in keys[:2]:
        other = Client()
        other.cookies[settings.SESSION_COOKIE_NAME] = str(planted)
        assert not is_signed_in(other)


def test_another_persons_session_in_the_same_browser_ends_first(client, super_admin, team_member, app):
    client.force_login(team_member, backend="django.contrib.auth.backends.ModelBackend")
    make_strong(client)
    page = client.get(choose_password_link(super_admin), follow=True)
    chosen = {"new_password1": "plum garden violin 47", "new_password2": "plum garden violin 47"}
    client.post(page.request["PATH_INFO"], chosen)
    assert not is_signed_in(client)
    assert "second_factor" not in client.session


def test_the_wait_for_the_factor_ends_after_ten_minutes(client, super_admin, app):
    sign_in(client, super_admin)
    session = client.session
    pending = session[completion.PENDING_SESSION_KEY]
    session[completion.PENDING_SESSION_KEY] = pending | {"at": pending["at"] - 601}
    session.save()
    assert client.post(PAGE, {"code": code_of(app)})["Location"] == "/login/"
    assert not is_signed_in(client)


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "!"}])
def test_the_wait_ends_when_the_account_changes_meanwhile(client, super_admin, app, change):
    sign_in(client, super_admin)
    User.objects.filter(pk=super_admin.pk).update(**change)
    assert client.post(PAGE, {"code": code_of(app)})["Location"] == "/login/"
    assert not is_signed_in(client)


def test_cancelling_forgets_the_first_proof(client, super_admin, app):
    sign_in(client, super_admin)
    assert client.post(PAGE, {"act": "cancel"})["Location"] == "/login/"
    assert client.get(PAGE)["Location"] == "/login/"


def test_guesses_are_made_to_wait_across_sessions_and_restarts(super_admin, app):
    answers = []
    for _ in range(8):
        client = Client()  # another browser, and nothing kept in memory
        sign_in(client, super_admin)
        answers.append(client.post(PAGE, {"code": wrong_code_of(app)}))
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert int(answers[-1]["Retry-After"]) in range(1, 31)
    assert entries(AuditAction.FAIL_SECOND_FACTOR) == 5
    client = Client()
    sign_in(client, super_admin)
    assert client.post(PAGE, {"code": code_of(app)}).status_code == 429
    let_pass(31)
    client.post(PAGE, {"code": code_of(app)})
    assert is_signed_in(client)
    assert not AttemptLimit.objects.filter(pk__in=attempt_keys(super_admin)).exists()


def test_guesses_for_many_people_from_one_address_are_made_to_wait(organization, super_admin, app):
    for _ in range(20):
        assert take_factor_attempt(factories.UserFactory.create(), "127.0.0.1") is None
    client = Client()
    sign_in(client, super_admin)
    assert client.post(PAGE, {"code": code_of(app)}).status_code == 429


def test_the_person_is_told_once_when_somebody_guesses(super_admin, app):
    for _ in range(5):
        client = Client()
        sign_in(client, super_admin)
        client.post(PAGE, {"code": wrong_code_of(app)})
    worker.work()
    [message] = [one for one in mail.outbox if "Wrong second factors" in one.subject]
    assert message.to == [super_admin.email]


def test_a_recovery_code_works_once_and_is_told_and_recorded(super_admin, app):
    [code, *_] = with_recovery_codes(super_admin)
    for client, is_in in ((Client(), True), (Client(), False)):
        sign_in(client, super_admin)
        client.post(PAGE, {"recovery_code": code})
        assert is_signed_in(client) is is_in
    assert RecoveryCode.objects.filter(used_at=None).count() == 9
    assert entries(AuditAction.USE_RECOVERY_CODE) == 1
    worker.work()
    assert [one.subject for one in mail.outbox] == ["A recovery code of your account was used"]
    assert code not in str([message.body for message in mail.outbox])


def test_no_secret_reaches_the_audit_log(super_admin, app):
    [code, *_] = with_recovery_codes(super_admin)
    client = Client()
    sign_in(client, super_admin)
    client.post(PAGE, {"recovery_code": "wrong-wrong-wrong-wron"})
    client.post(PAGE, {"recovery_code": code})
    kept = str(list(AuditEntry.objects.values()))
    assert not re.search(f"{code}|{app.secret}|wrong-wrong", kept)


@pytest.mark.parametrize("field", ["code", "recovery_code", "passkey"])
@pytest.mark.parametrize("value", ["", "\x01", "ü" * 50, "[" * 5000, "9" * 100_000, '{"rawId": 1}', "null"])
def test_hostile_answers_are_refused_without_an_error(client, super_admin, app, field, value):
    sign_in(client, super_admin)
    assert client.post(PAGE, {field: value}).status_code == 200
    assert not is_signed_in(client)


def test_a_person_without_a_factor_signs_in_as_before(client, super_admin):
    assert sign_in(client, super_admin)["Location"] == "/"
    assert "second_factor" not in client.session


def test_an_app_that_was_never_confirmed_is_not_asked_for(client, super_admin):
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    prove_now(client)
    client.get("/account/second-factor/app/")
    assert sign_in(Client(), super_admin)["Location"] == "/"
