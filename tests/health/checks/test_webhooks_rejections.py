"""Rejected webhooks: explained to the organization, never to the sender, and counted within bounds."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from integrations.health.checks import webhooks
from integrations.health.models import WebhookRejection
from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from tests.support import factories
from tests.support.payloads import post_stage_change

OLD_TOKEN, OTHER_TOKEN = "a" * 48, "b" * 48


@pytest.fixture
def webhook(organization) -> LeverWebhook:
    """A webhook whose previous token has expired."""
    return factories.LeverWebhookFactory.create(
        organization=organization,
        previous_signature_token=OLD_TOKEN,
        previous_until=timezone.now() - timedelta(minutes=1),
    )


def post(client, organization: Organization, token: str = OTHER_TOKEN, **changes: Any) -> Any:
    """Post a stage change, signed with the token unless the changes say otherwise, and return the response."""
    return post_stage_change(client, organization.lever_webhook_url, token, **changes)


@pytest.mark.parametrize(
    ("token", "hint", "words"),
    [
        (OLD_TOKEN, "former_token", "no longer valid here"),
        (OTHER_TOKEN, "unknown_token", "the one that Lever uses"),
        ("r" * 48, "former_token", "no longer valid here"),
        ("codescreen-key", "misplaced_secret", "“Lever Webhook Signature”"),
    ],
)
def test_the_settings_page_names_the_likely_mistake(client, super_admin_client, webhook, token, hint, words):
    organization = webhook.organization
    factories.CodeScreenConnectionFactory.create(organization=organization)
    factories.LeverWebhookFactory.create(
        organization=organization, signature_token="r" * 48, retired_at=timezone.now()
    )
    factories.LeverWebhookFactory.create(
        organization=factories.OrganizationFactory.create(), signature_token=OTHER_TOKEN
    )
    answer = post(client, organization, token)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "The signature does not match.", "code": "signature_mismatch"}
    row = WebhookRejection.objects.get()
    assert (row.organization, row.code, row.hint, row.count) == (organization, "signature_mismatch", hint, 1)
    page = super_admin_client.get("/settings/").content.decode()
    assert words in page
    assert token not in page
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code", "hint"),
    [
        ({"signature": None}, "signature_missing", ""),
        ({"signature": "F" * 64}, "signature_mismatch", "mangled_signature"),
        ({"signature": ["a"]}, "signature_mismatch", "mangled_signature"),
    ],
)
def test_each_rejection_is_stored_and_described(client, webhook, changes, code, hint):
    assert post(client, webhook.organization, **changes).status_code == 401
    row = WebhookRejection.objects.get()
    assert (row.code, row.hint) == (code, hint)
    assert row.reason
    assert row.fix


def test_a_repeated_rejection_is_not_analysed_again(client, webhook, monkeypatch):
    post(client, webhook.organization)

    def fail(*_: Any) -> str:
        raise AssertionError("a flood must not make the portal try every token again and again")

    monkeypatch.setattr(webhooks, "likely_mistake", fail)
    assert post(client, webhook.organization).status_code == 401


def test_many_rejections_are_one_row_and_one_write_a_second(client, webhook, monkeypatch):
    with monkeypatch.context() as patch:
        # on a slow machine a second is over before all are posted
        patch.setattr("integrations.health.models.COUNT_EVERY", timedelta(hours=1))
        for _ in range(20):
            post(client, webhook.organization)
    row = WebhookRejection.objects.get()
    assert row.count == 1
    WebhookRejection.objects.update(last_at=timezone.now() - timedelta(seconds=2))
    post(client, webhook.organization, OLD_TOKEN)
    row.refresh_from_db()
    assert (row.count, row.hint) == (2, "former_token")


def test_an_unknown_key_stores_no_rejection(client, webhook):
    client.post(reverse("lever-webhook", args=["nobody"]), "{}", content_type="application/json")
    assert not WebhookRejection.objects.exists()


def test_the_answer_is_401_when_the_rejection_cannot_be_stored(client, webhook, monkeypatch):
    def fail(*_: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(WebhookRejection, "record", fail)
    assert post(client, webhook.organization).status_code == 401


def test_the_settings_page_shows_codescreen_rejections(client, super_admin_client, organization):
    factories.CodeScreenConnectionFactory.create(organization=organization)
    address = reverse("codescreen-webhook", args=[organization.webhook_key])
    assert client.post(address, "{}", content_type="application/json").status_code == 401
    assert "no webhook secret saved here" in super_admin_client.get("/settings/").content.decode()
