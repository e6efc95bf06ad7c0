"""Everybody changes their password: with the present one, an end to other sessions, an e-mail and an audit entry."""

import pytest
from django.core import mail
from django.test import Client

from integrations.accounts.models.sessions import UserSession
from integrations.audit.models.entry import AuditEntry
from integrations.outbox.models import Effect
from integrations.queue import worker
from tests.support import factories

PRESENT, NEW, PAGE = "correct horse battery", "seven green bicycles", "/account/password/"


def signed_in(user) -> Client:
    client = Client()
    assert client.post("/login/", {"username": user.username, "password": PRESENT}).status_code == 302
    return client


def change(client: Client, present: str = PRESENT, new: str = NEW, again: str | None = None):
    form = {"old_password": present, "new_password1": new, "new_password2": new if again is None else again}
    return client.post(PAGE, form)


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def test_the_password_is_changed_and_other_sessions_end(super_admin):
    client, other = signed_in(super_admin), signed_in(super_admin)
    answer = change(client)
    assert answer["Location"] == "/account/"
    super_admin.refresh_from_db()
    assert super_admin.check_password(NEW)
    assert is_signed_in(client)
    assert not is_signed_in(other)
    assert UserSession.objects.live().count() == 1


def test_the_person_gets_an_e_mail_without_the_password(super_admin):
    change(signed_in(super_admin))
    worker.work()
    [message] = mail.outbox
    assert message.to == [super_admin.email]
    assert "was changed on" in str(message.body)
    assert "http://testserver/password/forgotten/" in str(message.body)
    assert NEW not in str(message.message()) + str(Effect.objects.get().payload)


def test_the_change_is_recorded_without_the_password(super_admin, organization):
    change(signed_in(super_admin))
    entry = AuditEntry.objects.get(action="change_password")
    assert (entry.organization, entry.actor) == (organization, super_admin)
    assert entry.changes["password"] == ["set", "set"]
    assert PRESENT not in str(entry.changes)


@pytest.mark.parametrize(
    ("present", "new", "again", "words"),
    [
        ("wrong", NEW, None, "present password"),
        ("", NEW, None, "required"),
        (PRESENT, "short", None, "at least 12 characters"),
        (PRESENT, "Summer2026!!", None, "unrelated words"),
        (PRESENT, NEW, "something else", "didn’t match"),
    ],
)
def test_what_is_refused_changes_nothing(super_admin, present, new, again, words):
    client, other = signed_in(super_admin), signed_in(super_admin)
    answer = change(client, present, new, again)
    assert words in answer.content.decode()
    super_admin.refresh_from_db()
    assert super_admin.check_password(PRESENT)
    assert is_signed_in(other)
    assert not AuditEntry.objects.filter(action="change_password").exists()


def test_the_present_password_is_not_guessed_in_a_stolen_session(super_admin):
    client = signed_in(super_admin)
    for number in range(10):
        change(client, present=f"guess {number}")
    answer = change(client)
    assert "Too many wrong passwords were tried. Wait a minute." in answer.content.decode()
    super_admin.refresh_from_db()
    assert super_admin.check_password(PRESENT)
    assert AuditEntry.objects.filter(action="fail_sign_in").count() == 2


def test_a_person_without_a_password_sees_why(client_for, organization):
    user = factories.member(organization, "admin", "elsewhere")
    user.set_unusable_password()
    user.save()
    client = client_for(user)
    page = client.get(PAGE).content.decode()
    assert "Your account has no password" in page
    assert "new_password1" not in page
    assert "Your account has no password" in change(client).content.decode()
    user.refresh_from_db()
    assert not user.has_usable_password()


def test_a_person_without_an_address_or_organization_changes_it_too(db):
    user = factories.UserFactory.create(username="alone", email="")
    assert change(signed_in(user))["Location"] == "/account/"
    assert not Effect.objects.exists()


def test_the_admins_own_page_leads_here(super_admin):
    super_admin.is_staff = True
    super_admin.save()
    assert signed_in(super_admin).get("/admin/password_change/")["Location"] == PAGE


def test_pages_with_passwords_let_people_paste(super_admin):
    page = signed_in(super_admin).get(PAGE).content.decode()
    assert 'autocomplete="current-password"' in page
    assert 'autocomplete="new-password"' in page
    assert "maxlength" not in page
    assert "onpaste" not in page
