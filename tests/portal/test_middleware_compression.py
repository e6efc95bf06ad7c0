"""Pages are compressed where the browser asks for it, but not those that show a secret."""

import gzip

import pytest
from django.test import Client
from django.urls import reverse

from integrations.members.models.membership import Membership
from integrations.pages.settings import team
from tests.support import factories
from tests.support.second_factors import prove_now, with_app, with_recovery_codes


@pytest.fixture
def visitor(super_admin_client: Client) -> Client:
    """A Super Admin's browser, which takes compressed answers and has signed in just now."""
    prove_now(super_admin_client)
    super_admin_client.defaults["HTTP_ACCEPT_ENCODING"] = "gzip, br"
    return super_admin_client


@pytest.mark.parametrize("path", ["/activity/", "/audit/export/", "/nowhere/"])
def test_a_page_is_compressed(visitor: Client, ready_organization, path: str) -> None:
    answer = visitor.get(path, follow=True)
    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    body = answer.getvalue()
    assert len(body) < len(gzip.decompress(body)) / 1.5


def test_an_answer_with_a_new_secret_is_not_compressed(visitor: Client, super_admin, organization) -> None:
    token = visitor.post("/settings/api/", {"name": "warehouse", "scopes": ["results"], "days": "9"})
    assert "data-copy=" in token.content.decode()
    with_app(super_admin)
    with_recovery_codes(super_admin)
    pages = ("/accounts/2fa/totp/activate/", "/accounts/2fa/recovery-codes/")
    for answer in (token, *map(visitor.get, pages)):
        assert "Content-Encoding" not in answer
        assert {"no-transform", "no-store"} <= set(answer["Cache-Control"].split(", "))


def test_a_link_into_an_account_is_not_compressed(visitor: Client, organization, monkeypatch) -> None:
    monkeypatch.setattr(team, "is_mail_sent", lambda: False)
    pending = factories.invited(organization, "somebody@acme.example")
    person = factories.UserFactory.create(email="")
    person.set_unusable_password()
    person.save()
    member = Membership.objects.create(user=person, organization=organization)
    shown = {
        reverse("team"): f"link-{pending.email}",
        reverse("member-link", args=[member.pk]): "invitation-link",
    }
    for page, link in shown.items():
        assert f'id="{link}"' in visitor.get(page).content.decode()
