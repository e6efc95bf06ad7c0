"""Signature tokens: replaced, retired one by one, deleted in the end."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from integrations.lever.acts.webhooks import (
    Generation,
    active_tokens,
    recently_retired,
    retire_token,
    save_main_token,
)
from integrations.lever.models.webhook import LeverWebhook
from tests.support import factories


@pytest.mark.parametrize("token", ["", "   ", "x" * 501, "two\nlines", "tab\there", "nul\x00"])
def test_an_impossible_main_token_is_refused(organization, super_admin, token):
    with pytest.raises(ValidationError, match="Copy the whole"):
        save_main_token(organization, token, super_admin)
    assert not LeverWebhook.objects.exists()


def labels(organization) -> list[str]:
    return [token.label for token in active_tokens(organization)]


def test_a_token_that_is_retired_twice_is_retired_once(organization, super_admin):
    save_main_token(organization, "first", super_admin)
    webhook = LeverWebhook.objects.get()
    for _ in range(2):
        retire_token(webhook, Generation.CURRENT, super_admin)
    assert organization.audit_entries.filter(action="retire_token").count() == 1
    save_main_token(organization, "second", super_admin)
    assert labels(organization) == ["Main token"]


def test_webhooks_retired_long_ago_are_deleted(organization):
    now = timezone.now()
    for days in (1, 31):
        factories.LeverWebhookFactory.create(organization=organization, retired_at=now - timedelta(days=days))
    factories.LeverWebhookFactory.create(organization=organization)
    assert LeverWebhook.objects.purge_retired() == 1
    [kept] = recently_retired(organization)
    assert kept.retired_at == now - timedelta(days=1)
    assert labels(organization) == ["Main token"]
