"""Signing in, and choosing a password by invitation link."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import DisallowedRedirect
from django.urls import reverse

from integrations.accounts.models.sessions import UserSession
from integrations.members.models.membership import Membership
from integrations.notifications.links import choose_password_link
from portal.accounts.completion import PendingSignIn, SignInMethod, begin_session
from tests.support import factories
from tests.support.factories import recorded


def test_signs_in_with_the_contracts_fields(client, super_admin):
    answer = client.post("/login/", {"username": super_admin.username, "password": "correct horse battery"})
    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize(
    "target",
    ["word", "login", "//evil.example/", "https://evil.example/", "javascript:alert(1)", "mailto:a@b"],
)
def test_a_next_that_is_no_page_of_this_site_leads_to_the_overview(client, super_admin, target):
    form = {"username": super_admin.username, "password": "correct horse battery", "next": target}
    assert client.post("/login/", form)["Location"] == "/"
    assert client.get("/").status_code == 200


def test_nothing_is_recorded_of_a_sign_in_whose_answer_cannot_be_made(rf, client, super_admin):
    request = rf.post("/login/")
    request.session, request.user = client.session, AnonymousUser()
    with pytest.raises(DisallowedRedirect):
        begin_session(request, PendingSignIn(super_admin, SignInMethod.PASSWORD, "javascript:alert(1)"), None)
    assert not UserSession.objects.exists()
    assert not recorded().exists()


def test_a_wrong_password_is_explained(client, super_admin):
    answer = client.post("/login/", {"username": super_admin.username, "password": "wrong"})
    assert "correct username and password" in answer.content.decode()


def test_the_admins_own_sign_in_page_leads_to_the_portals(client, db):
    answer = client.get("/admin/login/?next=/admin/integrations/")
    assert answer["Location"] == "/login/?next=%2Fadmin%2Fintegrations%2F"


def test_the_admins_sign_in_page_refuses_a_signed_in_person_who_is_not_staff(client, super_admin):
    client.force_login(super_admin, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "The admin is for staff" in answer.content.decode()


def test_the_account_page_is_for_people_without_an_organization_too(client, db):
    client.force_login(factories.UserFactory.create(username="alone"))
    assert "alone" in client.get("/account/").content.decode()


def test_signing_out_needs_a_post(super_admin_client):
    assert super_admin_client.get("/logout/").status_code == 405
    assert super_admin_client.post("/logout/")["Location"] == "/login/"
    assert super_admin_client.get("/").status_code == 302


@pytest.fixture
def invited(organization):
    user = factories.UserFactory.create(username="newcomer")
    user.set_unusable_password()
    user.save()
    Membership.objects.create(user=user, organization=organization, role=Membership.Role.ADMIN)
    return user


def test_the_invitation_link_works_once(client, invited):
    link = choose_password_link(invited)
    assert link.startswith("http://testserver/invite/")
    page = client.get(link, follow=True)
    assert "newcomer" in page.content.decode()
    chosen = {"new_password1": "a long new secret", "new_password2": "a long new secret"}
    answer = client.post(page.request["PATH_INFO"], chosen)
    assert answer["Location"] == "/"
    assert client.get("/").status_code == 200
    assert "no longer works" in client.get(link, follow=True).content.decode()


def test_a_weak_password_is_refused_with_the_reason(client, invited):
    page = client.get(choose_password_link(invited), follow=True)
    answer = client.post(page.request["PATH_INFO"], {"new_password1": "short", "new_password2": "short"})
    assert "at least 12 characters" in answer.content.decode()


def test_an_invalid_link_is_explained(client, db):
    link = reverse("password_reset_confirm", kwargs={"uidb64": "MQ", "token": "nonsense-token"})
    assert "no longer works" in client.get(link).content.decode()
