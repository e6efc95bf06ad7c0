"""The admin shows nobody the rows of another organization, and nobody a secret."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from integrations.admin.base import ScopedAdmin
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.single_sign_on.models import SingleSignOn
from tests.admin.conftest import Customer, sign_in
from tests.support.addresses import WITHOUT_ORGANIZATION

MODELS = [model for model, page in admin.site._registry.items() if model._meta.app_label == "integrations"]
OWNED = [model for model in MODELS if model.__name__ not in WITHOUT_ORGANIZATION]


def address(model: Any, page: str, *args: object) -> str:
    return reverse(f"admin:integrations_{model._meta.model_name}_{page}", args=args)


def test_every_model_is_registered() -> None:
    # it is part of its application's page
    assert set(apps.get_app_config("integrations").get_models()) - {SingleSignOn} == set(MODELS)
    assert all(isinstance(admin.site._registry[model], ScopedAdmin) for model in MODELS)
    # neither the queue's rows nor the tokens of social_django
    others = {model._meta.app_label for model in admin.site._registry} - {"integrations"}
    assert others == {"auth", "mfa", "socialaccount", "usersessions"}


@pytest.mark.slow
def test_a_key_or_field_that_no_row_can_have_is_not_found(acme: Customer) -> None:
    client = sign_in(None, is_superuser=True)
    for model in OWNED:
        row = acme.rows.get(model)
        for page in ("change", "delete"):
            url = address(model, page, row.pk if row is not None else 1)
            assert client.get(url, {"_to_field": ""}).status_code in {200, 403, 404}, model
            for key in ("9" * 40, "²"):
                assert client.get(address(model, page, key)).status_code in {403, 404}, (model, page)


def test_connections_say_whether_a_secret_is_set_without_reading_it(acme: Customer, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    client = sign_in("admin", acme)
    assert client.get(address(LeverConnection, "changelist")).status_code == 200
    page = client.get(address(LeverConnection, "change", acme.rows[LeverConnection].pk))
    assert page.content.decode().count(">Set<") == 2


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Organization, "webhook_key__startswith=a"),
        (LeverConnection, "access_token__startswith=g"),
        (Delivery, "organization__webhook_key__startswith=a"),
        (Membership, "user__password__startswith=p"),
        (Delivery, "payload__signature=abc"),
    ],
)
def test_lookups_in_the_address_cannot_reveal_values(acme: Customer, model: type, query: str) -> None:
    client = sign_in("team_member", acme)
    answer = client.get(f"{address(model, 'changelist')}?{query}")
    assert answer.status_code in {302, 400}


def test_lists_filters_and_search_are_limited_to_own_organizations(acme: Customer, globex: Customer) -> None:
    theirs = {"organization": globex.organization.pk}

    def shown(client: Client, **query: int | str) -> list[str]:
        page = client.get(address(Invitation, "changelist"), query).content.decode()
        return [slug for slug in ("acme", "globex") if f"Candidate of {slug}" in page]

    member = sign_in("team_member", acme)
    assert shown(member) == shown(member, q="opportunity-acme") == ["acme"]
    assert "globex" not in shown(member, q="opportunity-globex") + shown(member, **theirs)
    member_of_both = sign_in("admin", acme, globex)
    assert shown(member_of_both) == ["acme", "globex"]
    assert shown(member_of_both, **theirs) == ["globex"]
    for value in ("no-number", "9" * 5000, "-1", "²"):
        answer = member_of_both.get(address(Invitation, "changelist"), {"organization": value})
        assert answer.status_code == 302


def test_people_are_not_listed_by_autocomplete(acme: Customer) -> None:
    query = {"app_label": "integrations", "model_name": "membership", "field_name": "user", "term": "owner"}
    answer = sign_in("super_admin", acme).get(reverse("admin:autocomplete"), query)
    assert answer.status_code == 403


def test_only_super_admins_see_the_masked_key(acme: Customer) -> None:
    page = address(Organization, "change", acme.organization.pk)
    assert "acme…" in sign_in("super_admin", acme).get(page).content.decode()
    assert "acme…" not in sign_in("admin", acme).get(page).content.decode()


def test_payloads_are_shown_without_personal_data(acme: Customer) -> None:
    client = sign_in("team_member", acme)
    text = client.get(address(Delivery, "change", acme.rows[Delivery].pk)).content.decode()
    assert "candidateStageChange" in text
    assert "person@acme.example" not in text
    assert "opportunities/opportunity-acme" in text
    text = client.get(address(Effect, "change", acme.rows[Effect].pk)).content.decode()
    assert "team@acme.example" not in text
    assert "Dear person" not in text
