"""The admin shows nobody the rows of another organization, and nobody a secret."""

from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse

from integrations.admin.base import ScopedAdmin
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.single_sign_on.models import SingleSignOn
from tests.admin.conftest import Customer, sign_in
from tests.support.addresses import WITHOUT_ORGANIZATION

MODELS = [model for model, page in admin.site._registry.items() if model._meta.app_label == "integrations"]
OWNED = [model for model in MODELS if model.__name__ not in WITHOUT_ORGANIZATION]


def address(model: Any, page: str, *args: object) -> str:
    return reverse(f"admin:integrations_{model._meta.model_name}_{page}", args=args)


def test_every_model_is_registered() -> None:
    from django.apps import apps

    # it is part of its application's page
    assert set(apps.get_app_config("integrations").get_models()) - {SingleSignOn} == set(MODELS)
    assert all(isinstance(admin.site._registry[model], ScopedAdmin) for model in MODELS)
    # neither the queue's rows nor the tokens of social_django
    others = {model._meta.app_label for model in admin.site._registry} - {"integrations"}
    assert others == {"auth", "mfa", "socialaccount", "usersessions"}


@pytest.mark.parametrize("page", ["change", "delete"])
def test_an_empty_to_field_is_none(acme: Customer, page: str) -> None:
    client = sign_in(None, is_superuser=True)
    for model in OWNED:
        row = acme.rows.get(model)
        url = address(model, page, row.pk if row is not None else 1)
        assert client.get(url, {"_to_field": ""}).status_code in {200, 403, 404}, model


@pytest.mark.parametrize("value", ["9" * 19, "9" * 40, "9" * 5000, "-1", "²"])
def test_an_organization_that_cannot_be_filters_nothing(acme: Customer, globex: Customer, value: str) -> None:
    client = sign_in(None, is_superuser=True)
    answer = client.get(address(Delivery, "changelist"), {"organization": value})
    assert answer.status_code == 302


@pytest.mark.parametrize("key", ["9" * 40, "²"])
def test_a_key_that_no_row_can_have_is_not_found(db: None, key: str) -> None:
    client = sign_in(None, is_superuser=True)
    for model in MODELS:
        for page in ("change", "history", "delete"):
            assert client.get(address(model, page, key)).status_code in {403, 404}, (model, page)


def test_connections_say_whether_a_secret_is_set(acme: Customer) -> None:
    client = sign_in("admin", acme)
    text = client.get(address(LeverConnection, "change", acme.rows[LeverConnection].pk)).content.decode()
    assert text.count(">Set<") == 2


def test_encrypted_columns_are_never_read(acme: Customer, settings: Any) -> None:
    from cryptography.fernet import Fernet

    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    client = sign_in("admin", acme)
    assert client.get(address(LeverConnection, "changelist")).status_code == 200
    assert client.get(address(LeverConnection, "change", acme.rows[LeverConnection].pk)).status_code == 200


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Organization, "webhook_key__startswith=a"),
        (LeverConnection, "access_token__startswith=g"),
        (LeverConnection, "access_token__isnull=False"),
        (Delivery, "organization__webhook_key__startswith=a"),
        (Membership, "user__password__startswith=p"),
        (Delivery, "payload__signature=abc"),
    ],
)
def test_lookups_in_the_address_cannot_reveal_values(acme: Customer, model: type, query: str) -> None:
    client = sign_in("team_member", acme)
    answer = client.get(f"{address(model, 'changelist')}?{query}")
    assert answer.status_code in {302, 400}


def test_filters_and_search_are_limited_to_own_organizations(acme: Customer, globex: Customer) -> None:
    client = sign_in("team_member", acme)
    found = client.get(address(Invitation, "changelist"), {"q": "opportunity-globex"})
    assert "Candidate of globex" not in found.content.decode()
    other = client.get(address(Invitation, "changelist"), {"organization": globex.organization.pk})
    assert "Candidate of globex" not in other.content.decode()
    mine = client.get(address(Invitation, "changelist"), {"q": "opportunity-acme"})
    assert "Candidate of acme" in mine.content.decode()


def test_a_member_of_two_organizations_can_filter_by_one(acme: Customer, globex: Customer) -> None:
    client = sign_in("team_member", acme, globex)
    text = client.get(address(Invitation, "changelist")).content.decode()
    assert "Candidate of acme" in text
    assert "Candidate of globex" in text
    assert "<h2>Organization</h2>" in text
    text = client.get(
        address(Invitation, "changelist"), {"organization": globex.organization.pk}
    ).content.decode()
    assert "Candidate of acme" not in text
    assert client.get(address(Invitation, "changelist"), {"organization": "no-number"}).status_code == 302


def test_people_are_not_listed_by_autocomplete(acme: Customer) -> None:
    client = sign_in("super_admin", acme)
    answer = client.get(
        reverse("admin:autocomplete"),
        {"app_label": "integrations", "model_name": "membership", "field_name": "user", "term": "owner"},
    )
    assert answer.status_code == 403


def test_payloads_are_shown_without_personal_data(acme: Customer) -> None:
    client = sign_in("team_member", acme)
    text = client.get(address(Delivery, "change", acme.rows[Delivery].pk)).content.decode()
    assert "candidateStageChange" in text
    assert "person@acme.example" not in text
    assert "opportunities/opportunity-acme" in text
    from integrations.outbox.models.effect import Effect

    text = client.get(address(Effect, "change", acme.rows[Effect].pk)).content.decode()
    assert "team@acme.example" not in text
    assert "Dear person" not in text
