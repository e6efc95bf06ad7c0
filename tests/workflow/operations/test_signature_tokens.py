"""Several signature tokens at once: named, bounded, retired one by one, and forgotten in the end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import LeverWebhook
from integrations.workflow.operations import connections, signature_tokens
from tests import factories


def labels(organization) -> list[str]:
    return [token.label for token in signature_tokens.listed(organization)]


def test_saving_a_new_main_token_leaves_the_additional_ones_alone(organization, super_admin):
    connections.save_signature_token(organization, "first", super_admin)
    signature_tokens.add(organization, "Second", "second", super_admin)
    connections.save_signature_token(organization, "third", super_admin)
    assert labels(organization) == ["Main token", "Main token, the one before", "Second"]
    honoured = {token for token, _ in LeverWebhook.objects.filter(organization=organization).active_tokens()}
    assert honoured == {"first", "second", "third"}


def test_an_additional_token_that_is_saved_as_the_main_one_is_kept_once(organization, super_admin):
    connections.save_signature_token(organization, "first", super_admin)
    signature_tokens.add(organization, "Second", "second", super_admin)
    connections.save_signature_token(organization, "second", super_admin)
    assert labels(organization) == ["Main token", "Main token, the one before"]


def test_the_token_before_can_be_kept_longer_under_a_name(organization, super_admin):
    connections.save_signature_token(organization, "first", super_admin)
    connections.save_signature_token(organization, "second", super_admin)
    signature_tokens.add(organization, "The earlier one", "first", super_admin)
    LeverWebhook.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    assert labels(organization) == ["Main token", "The earlier one"]


def test_a_name_is_free_again_once_its_token_is_retired(organization, super_admin):
    first = signature_tokens.add(organization, "Second", "one", super_admin)
    with pytest.raises(ValueError, match="called “Second” already"):
        signature_tokens.add(organization, " Second ", "two", super_admin)
    for _ in range(2):
        signature_tokens.retire(first, "current", super_admin)
    assert organization.audit_entries.filter(action="retire_token").count() == 1
    signature_tokens.add(organization, "Second", "two", super_admin)


def test_there_is_a_most(organization, super_admin):
    for number in range(10):
        signature_tokens.add(organization, f"Number {number}", str(number), super_admin)
    with pytest.raises(ValueError, match="10 tokens already"):
        signature_tokens.add(organization, "One more", "x", super_admin)


@pytest.mark.parametrize(("name", "token"), [("", "a"), ("n" * 61, "a"), ("Second", ""), ("Second", "a\nb")])
def test_what_cannot_be_one_is_refused(organization, super_admin, name, token):
    with pytest.raises(ValueError, match="token"):
        signature_tokens.add(organization, name, token, super_admin)
    assert not LeverWebhook.objects.exists()


def test_retired_ones_are_forgotten_after_a_while(organization):
    now = timezone.now()
    for days in (1, 31):
        factories.LeverWebhookFactory.create(
            organization=organization, name=f"{days} days", retired_at=now - timedelta(days=days)
        )
    factories.LeverWebhookFactory.create(organization=organization)
    assert LeverWebhook.objects.purge_retired() == 1
    assert [row.name for row in signature_tokens.retired(organization)] == ["1 days"]
    assert labels(organization) == ["Main token"]
