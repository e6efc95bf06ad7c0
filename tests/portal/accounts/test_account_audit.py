"""Signing in, signing out and ending sessions are in the audit log of the person's organization."""

from django.test import Client

from integrations.accounts.models.sessions import UserSession
from integrations.members.models.membership import Membership
from integrations.notifications.links import choose_password_link
from tests.support import factories
from tests.support.factories import recorded

PASSWORD = "correct horse battery"


def entries() -> list[tuple[str, dict[str, list[object]]]]:
    return [(entry.action, entry.changes) for entry in recorded().order_by("pk")]


def sign_in(user) -> Client:
    client = Client(headers={"user-agent": "Firefox/140.0 Windows"}, REMOTE_ADDR="192.0.2.1")
    client.post("/login/", {"username": user.username, "password": PASSWORD})
    return client


def test_a_sign_in_and_a_sign_out_are_recorded(super_admin, organization):
    sign_in(super_admin).post("/logout/")
    assert entries() == [
        ("sign_in", {"method": ["", "password"], "address": ["", "192.0.2.1"]}),
        ("sign_out", {"address": ["", "192.0.2.1"]}),
    ]
    for entry in recorded().all():
        assert (entry.organization, entry.actor, entry.target) == (
            organization,
            super_admin,
            super_admin.username,
        )


def test_signing_out_twice_is_recorded_once(super_admin):
    client = sign_in(super_admin)
    client.post("/logout/")
    client.post("/logout/")
    assert [action for action, _ in entries()] == ["sign_in", "sign_out"]


def test_sessions_ended_by_their_person_are_recorded(super_admin):
    sign_in(super_admin)
    client = sign_in(super_admin)
    client.post("/account/sessions/", {"session": UserSession.objects.order_by("pk")[0].pk})
    assert entries()[-1] == ("end_sessions", {"sessions": ["Firefox on Windows from 192.0.2.1", "ended"]})
    client.post("/account/sessions/", {"others": "1"})
    assert len(entries()) == 3


def test_a_password_chosen_through_a_link_is_a_sign_in(organization, client):
    user = factories.UserFactory.create(username="newcomer")
    user.set_unusable_password()
    user.save()
    Membership.objects.create(user=user, organization=organization, role=Membership.Role.ADMIN)
    page = client.get(choose_password_link(user), follow=True)
    chosen = {"new_password1": "a long new secret", "new_password2": "a long new secret"}
    client.post(page.request["PATH_INFO"], chosen)
    action, changes = entries()[-1]
    assert (action, changes["method"]) == ("sign_in", ["", "link to choose a password"])
    assert "secret" not in str(entries())


def test_the_audit_page_shows_sign_ins_and_failures(super_admin):
    Client().post("/login/", {"username": super_admin.username, "password": "wrong"})
    page = sign_in(super_admin).get("/audit/").content.decode()
    assert "Failed to sign in" in page
    assert "somebody not signed in" in page
