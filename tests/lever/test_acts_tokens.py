"""Signature tokens: named, limited in number, retired one by one, deleted in the end."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from integrations.lever.acts import (
    Generation,
    active_tokens,
    add_token,
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


def test_saving_a_new_main_token_leaves_the_additional_ones_alone(organization, super_admin):
    save_main_token(organization, "first", super_admin)
    add_token(organization, "Second", "second", super_admin)
    save_main_token(organization, "third", super_admin)
    assert labels(organization) == ["Main token", "Main token, the one before", "Second"]
    honoured = {token for token, _ in LeverWebhook.objects.filter(organization=organization).active_tokens()}
    assert honoured == {"first", "second", "third"}


def test_an_additional_token_that_is_saved_as_the_main_one_is_kept_once(organization, super_admin):
    save_main_token(organization, "first", super_admin)
    add_token(organization, "Second", "second", super_admin)
    save_main_token(organization, "second", super_admin)
    assert labels(organization) == ["Main token", "Main token, the one before"]


def test_the_previous_token_can_be_added_under_a_name(organization, super_admin):
    save_main_token(organization, "first", super_admin)
    save_main_token(organization, "second", super_admin)
    add_token(organization, "The earlier one", "first", super_admin)
    LeverWebhook.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    assert labels(organization) == ["Main token", "The earlier one"]


def test_a_name_is_free_again_once_its_token_is_retired(organization, super_admin):
    first = add_token(organization, "Second", "one", super_admin)
    with pytest.raises(ValidationError, match="called “Second” already"):
        add_token(organization, " Second ", "two", super_admin)
    for _ in range(2):
        retire_token(first, Generation.CURRENT, super_admin)
    assert organization.audit_entries.filter(action="retire_token").count() == 1
    add_token(organization, "Second", "two", super_admin)


def test_the_number_of_tokens_is_limited(organization, super_admin):
    for number in range(10):
        add_token(organization, f"Number {number}", str(number), super_admin)
    with pytest.raises(ValidationError, match="10 tokens already"):
        add_token(organization, "One more", "x", super_admin)


@pytest.mark.parametrize(("name", "token"), [("", "a"), ("n" * 61, "a"), ("Second", ""), ("Second", "a\nb")])
def test_an_impossible_additional_token_is_refused(organization, super_admin, name, token):
    with pytest.raises(ValidationError, match="token"):
        add_token(organization, name, token, super_admin)
    assert not LeverWebhook.objects.exists()


def test_webhooks_retired_long_ago_are_deleted(organization):
    now = timezone.now()
    for days in (1, 31):
        factories.LeverWebhookFactory.create(
            organization=organization, name=f"{days} days", retired_at=now - timedelta(days=days)
        )
    factories.LeverWebhookFactory.create(organization=organization)
    assert LeverWebhook.objects.purge_retired() == 1
    assert [row.name for row in recently_retired(organization)] == ["1 days"]
    assert labels(organization) == ["Main token"]
