"""Setting up, changing and removing second factors: only who has proven just now who they are."""

import re

import pytest
from django.core import mail
from django.test import Client

from integrations.accounts.models.second_factors import AuthenticatorApp, RecoveryCode
from integrations.audit.models.entry import AuditAction
from integrations.members.models.membership import Membership
from integrations.queue import worker
from tests.support import factories
from tests.support.factories import recorded
from tests.support.second_factors import (
    PASSWORD,
    change_session,
    code_of,
    make_strong,
    prove_now,
    sign_in,
    with_app,
    with_recovery_codes,
)

OVERVIEW = "/account/second-factor/"
APP, CODES, CONFIRM = f"{OVERVIEW}app/", f"{OVERVIEW}codes/", "/account/confirm/"


@pytest.fixture
def person(super_admin_client):
    """A client whose person has signed in just now."""
    prove_now(super_admin_client)
    return super_admin_client


def test_an_app_is_set_up_by_its_qr_code_and_a_code(person, super_admin):
    page = person.get(APP).content.decode()
    app = AuthenticatorApp.objects.get()
    assert "<svg" in page
    assert " ".join(re.findall("....", app.secret)) in page
    shown = person.post(APP, {"code": code_of(app)}).content.decode()
    codes = re.findall(r"<code>([a-z0-9-]{19})</code>", shown)
    assert len(codes) == 10
    assert not any(code in person.get(OVERVIEW).content.decode() for code in codes)
    client = Client()
    assert sign_in(client, super_admin)["Location"] == "/login/second-factor/"
    client.post("/login/second-factor/", {"recovery_code": codes[3]})
    assert client.get("/").status_code == 200


def test_the_session_that_set_it_up_goes_on_as_a_strong_one_under_another_key(person):
    earlier = person.session.session_key
    person.get(APP)
    person.post(APP, {"code": code_of(AuthenticatorApp.objects.get())})
    assert person.session["second_factor"] == "authenticator_app"
    assert person.session.session_key != earlier


def test_a_wrong_code_keeps_the_same_secret(person):
    person.get(APP)
    secret = AuthenticatorApp.objects.get().secret
    assert "the code that the app shows" in person.post(APP, {"code": "12345"}).content.decode()
    app = AuthenticatorApp.objects.get()
    assert (app.secret, app.confirmed_at) == (secret, None)


def test_each_change_is_told_to_the_person_and_recorded_without_secrets(person, super_admin):
    person.get(APP)
    app = AuthenticatorApp.objects.get()
    person.post(APP, {"code": code_of(app)})
    person.post(CODES)
    person.post(f"{APP}remove/")
    actions = recorded().order_by("pk").values_list("action", flat=True)
    assert list(actions) == [
        AuditAction.ADD_SECOND_FACTOR,
        AuditAction.MAKE_RECOVERY_CODES,
        AuditAction.MAKE_RECOVERY_CODES,
        AuditAction.REMOVE_SECOND_FACTOR,
    ]
    worker.work()
    assert sorted(message.subject for message in mail.outbox) == [
        "An authenticator app was added to your account",
        "New recovery codes were made for your account",
        "The authenticator app was removed from your account",
    ]
    assert {tuple(message.to) for message in mail.outbox} == {(super_admin.email,)}
    assert app.secret not in str([message.body for message in mail.outbox])


def test_the_log_of_each_of_the_persons_organizations_has_the_entry(person, super_admin):
    other = factories.OrganizationFactory.create()
    Membership.objects.create(user=super_admin, organization=other, role=Membership.Role.ADMIN)
    with_recovery_codes(super_admin)
    person.get(APP)
    person.post(APP, {"code": code_of(AuthenticatorApp.objects.get())})
    assert recorded().count() == 2
    assert recorded().filter(organization=other).count() == 1


def test_a_new_phone_replaces_the_earlier_one_once_it_is_confirmed(person, super_admin):
    earlier = with_app(super_admin)
    make_strong(person)
    person.get(APP)
    assert AuthenticatorApp.objects.confirmed().get() == earlier
    newer = AuthenticatorApp.objects.get(confirmed_at=None)
    person.post(APP, {"code": code_of(newer)})
    assert AuthenticatorApp.objects.get() == newer


def test_removing_the_last_factor_ends_the_recovery_codes_and_the_sessions_strength(person, super_admin):
    with_app(super_admin)
    with_recovery_codes(super_admin)
    make_strong(person)
    person.post(f"{APP}remove/")
    assert not RecoveryCode.objects.exists()
    assert "second_factor" not in person.session
    assert sign_in(Client(), super_admin)["Location"] == "/"


@pytest.mark.parametrize("address", [APP, f"{APP}remove/", f"{OVERVIEW}passkeys/", CODES])
def test_an_older_session_is_asked_for_the_password_first(super_admin_client, super_admin, address):
    with_app(super_admin)
    make_strong(super_admin_client)
    change_session(super_admin_client, proven_at=0.0)
    is_page = address in {APP, f"{OVERVIEW}passkeys/"}
    answer = super_admin_client.get(address) if is_page else super_admin_client.post(address)
    assert answer["Location"].startswith(CONFIRM)
    assert AuthenticatorApp.objects.confirmed().exists()


def test_a_session_from_before_the_factor_can_not_remove_it_by_the_password_alone(
    super_admin_client, super_admin
):
    app = with_app(super_admin)
    super_admin_client.post(CONFIRM, {"password": PASSWORD})
    answer = super_admin_client.post(f"{APP}remove/")
    assert answer["Location"].startswith("/login/second-factor/")
    assert AuthenticatorApp.objects.confirmed().exists()
    super_admin_client.post(answer["Location"], {"code": code_of(app)})
    super_admin_client.post(f"{APP}remove/")
    assert not AuthenticatorApp.objects.exists()


def test_the_right_password_leads_back_and_a_wrong_one_does_not(super_admin_client):
    change_session(super_admin_client, proven_at=0.0)
    address = f"{CONFIRM}?next={APP}"
    assert "your password" in super_admin_client.post(address, {"password": "wrong"}).content.decode()
    assert super_admin_client.get(APP)["Location"].startswith(CONFIRM)
    assert super_admin_client.post(address, {"password": PASSWORD})["Location"] == APP
    assert super_admin_client.get(APP).status_code == 200


def test_the_page_to_go_back_to_is_one_of_this_site(super_admin_client):
    answer = super_admin_client.post(f"{CONFIRM}?next=https://evil.example/", {"password": PASSWORD})
    assert answer["Location"] == "/account/"


def test_who_has_no_password_sees_why_and_what_to_do(super_admin_client, super_admin, client_for):
    super_admin.set_unusable_password()
    super_admin.save()
    page = client_for(super_admin).get(CONFIRM).content.decode()
    assert "no password" in page
    assert "Sign out, and sign in again" in page


def test_recovery_codes_alone_can_not_be_made(person):
    person.post(CODES)
    assert "Add an authenticator app or a passkey first" in person.get(OVERVIEW).content.decode()
    assert not RecoveryCode.objects.exists()


def test_few_recovery_codes_are_pointed_out(person, super_admin):
    with_app(super_admin)
    with_recovery_codes(super_admin)
    assert "10 left" in person.get(OVERVIEW).content.decode()
    RecoveryCode.objects.filter(pk__in=RecoveryCode.objects.values("pk")[:7]).update(
        used_at="2026-01-01T00:00Z"
    )
    assert "Few are left" in person.get(OVERVIEW).content.decode()


def test_pages_with_secrets_are_not_stored_by_browsers(person):
    assert "no-store" in person.get(APP)["Cache-Control"]
    shown = person.post(APP, {"code": code_of(AuthenticatorApp.objects.get())})
    assert "no-store" in shown["Cache-Control"]


def test_a_person_without_an_organization_has_a_second_factor_too(client_for, db):
    alone = factories.UserFactory.create()
    client = client_for(alone)
    prove_now(client)
    client.get(APP)
    client.post(APP, {"code": code_of(AuthenticatorApp.objects.get())})
    assert recorded().filter(organization=None).count() == 2
    assert sign_in(Client(), alone)["Location"] == "/login/second-factor/"
