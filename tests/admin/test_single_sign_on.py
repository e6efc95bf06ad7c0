"""Providers of single sign-on in the admin: superusers enter them, and the secret is never shown."""

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.contrib.auth.models import User
from django.db import connection

from integrations.single_sign_on.models import SingleSignOn
from tests.admin.conftest import sign_in
from tests.support.factories import recorded
from tests.support.identity_provider import SECRET, make_provider
from tests.support.second_factors import forget_proofs, prove_now

LIST = "/admin/socialaccount/socialapp/"
FORM = {
    "name": "Acme ID",
    "provider_id": "acme",
    "issuer": "https://login.acme.example/",
    "client_id": "portal",
    "client_secret": SECRET,
    "is_listed": "on",
    "is_on": "on",
}


@pytest.fixture
def operator(acme):
    client = sign_in(None, is_superuser=True)
    prove_now(client)
    return client


def stored_secret() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT client_secret FROM integrations_singlesignon")
        return str(cursor.fetchone()[0])


def test_the_operator_enters_a_provider_whose_secret_is_encrypted_and_never_shown(operator, acme):
    organization = acme.organization
    operator.post(f"{LIST}add/", {**FORM, "organization": organization.pk})
    row = SingleSignOn.objects.get()
    assert (row.organization, row.client_secret, row.is_listed) == (organization, SECRET, True)
    assert (row.application.secret, row.application.settings) == (
        "",
        {"server_url": "https://login.acme.example"},
    )
    assert SECRET not in stored_secret()
    assert SECRET not in operator.get(f"{LIST}{row.pk}/change/").content.decode()
    entry = recorded().latest("pk")
    assert str(row) in operator.get("/admin/integrations/auditentry/").content.decode()
    assert (entry.action, entry.organization) == ("change_single_sign_on", organization)
    assert SECRET not in str(entry.changes)


def test_a_change_keeps_the_secret_and_forgets_people_of_another_issuer_alone(operator, acme):
    row = make_provider("acme", acme.organization)
    user = User.objects.first()
    SocialAccount.objects.create(user=user, provider="acme", uid="subject-1")
    kept = {**FORM, "issuer": "https://acme.id.example", "client_secret": "", "name": "New name"}
    operator.post(f"{LIST}{row.pk}/change/", kept)
    row.refresh_from_db()
    assert (str(row.application), row.client_secret, row.organization) == ("New name", SECRET, None)
    assert SocialAccount.objects.exists()
    operator.post(f"{LIST}{row.pk}/change/", {**kept, "issuer": "https://other.example"})
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://login.acme.example"},
        {"provider_id": "taken"},
        {"provider_id": "sso"},
        {"client_secret": ""},
    ],
    ids=str,
)
def test_what_can_not_work_is_refused(operator, settings, wrong):
    settings.IS_LOCAL = False
    make_provider("taken")
    answer = operator.post(f"{LIST}add/", FORM | wrong)
    assert (answer.status_code, SocialApp.objects.count()) == (200, 1)


def test_a_persons_link_is_removed_and_recorded(operator):
    make_provider("acme")
    user = User.objects.first()
    row = SocialAccount.objects.create(user=user, provider="acme", uid="subject-1")
    page = f"/admin/socialaccount/socialaccount/{row.pk}/"
    assert f"{page}delete/" in operator.get(f"{page}change/").content.decode()
    forget_proofs(operator)
    operator.post(f"{page}delete/", {"post": "yes"})
    assert SocialAccount.objects.exists()
    prove_now(operator)
    operator.post(f"{page}delete/", {"post": "yes"})
    assert not SocialAccount.objects.exists()
    assert recorded().latest("pk").action == "unlink_from_provider"
