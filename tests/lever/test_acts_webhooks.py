"""The webhook that the portal makes through Lever's API, and signature tokens."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.clients import provider
from integrations.clients.models import ApiCall
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import PlatformError
from integrations.lever.acts.webhooks import (
    Generation,
    active_tokens,
    make_webhook,
    make_webhooks,
    recently_retired,
    remove_webhooks,
    retire_token,
    rotate_webhook,
    save_main_token,
)
from integrations.lever.models.webhook import LeverWebhook
from tests.support import factories


def hooks(sandbox):
    return [hook for hook in sandbox.account.events.webhooks.values() if hook.by_api]


def test_a_webhook_is_made_for_each_event_and_once(connected_organization, sandbox, super_admin):
    lever = provider.lever_client(connected_organization)
    made = make_webhooks(connected_organization, lever, super_admin)
    assert make_webhooks(connected_organization, lever, super_admin) == made
    assert sorted(hook.event for hook in hooks(sandbox)) == ["candidateDeleted", "candidateStageChange"]
    assert {hook.url for hook in hooks(sandbox)} == {connected_organization.lever_webhook_url}
    assert len({webhook.signature_token for webhook in made}) == 2
    assert {webhook.origin for webhook in made} == {"api"}
    assert AuditEntry.objects.filter(action="make_webhook").count() == 2
    # the webhook key allows posting to the address, so no log may contain it
    assert connected_organization.webhook_key not in str(list(AuditEntry.objects.values()))
    assert connected_organization.webhook_key not in str(list(ApiCall.objects.values()))


def test_a_webhook_whose_token_was_lost_is_made_again(connected_organization, sandbox, super_admin):
    lever = provider.lever_client(connected_organization)
    make_webhook(connected_organization, lever, super_admin)
    LeverWebhook.objects.update(signature_token="")
    make_webhook(connected_organization, lever, super_admin)
    assert len(hooks(sandbox)) == 1
    assert LeverWebhook.objects.get().signature_token


def test_removing_webhooks_twice_is_no_error(connected_organization, super_admin):
    lever = provider.lever_client(connected_organization)
    made = make_webhook(connected_organization, lever, super_admin)
    lever.delete_webhook(made.lever_webhook_id)
    remove_webhooks(connected_organization, lever, super_admin)
    remove_webhooks(connected_organization, lever, super_admin)
    assert not LeverWebhook.objects.active().exists()
    assert connected_organization.audit_entries.filter(action="remove_webhook").count() == 1


def test_of_two_rotations_at_once_one_counts_and_nothing_of_the_other_stays_in_lever(
    connected_organization, sandbox, super_admin
):
    lever = provider.lever_client(connected_organization)
    make_webhook(connected_organization, lever, super_admin)
    first, second = (LeverWebhook.objects.get() for _ in range(2))
    rotate_webhook(first, lever, super_admin)
    with pytest.raises(ActionNotAllowed, match="Somebody else"):
        rotate_webhook(second, lever, super_admin)
    stored = LeverWebhook.objects.get()
    assert [hook.id for hook in hooks(sandbox)] == [stored.lever_webhook_id]
    assert stored.signature_token == first.signature_token
    assert AuditEntry.objects.filter(action="make_webhook").count() == 2


def test_a_webhook_rotated_after_the_portals_address_changed_moves_with_the_next_key(
    connected_organization, super_admin
):
    lever = provider.lever_client(connected_organization)
    made = make_webhook(connected_organization, lever, super_admin)
    LeverWebhook.objects.update(url="https://former.example/webhooks/lever/key/")
    rotate_webhook(made, lever, super_admin)
    assert LeverWebhook.objects.get().url == connected_organization.lever_webhook_url


def test_a_former_webhook_that_lever_does_not_delete_is_told(
    connected_organization, super_admin, monkeypatch
):
    lever = provider.lever_client(connected_organization)
    made = make_webhook(connected_organization, lever, super_admin)

    def refuse(webhook_id):
        raise PlatformError("Lever is down", status=503)

    monkeypatch.setattr(lever, "delete_webhook", refuse)
    with pytest.raises(PlatformError, match="has a new token, but Lever still lists the one before"):
        rotate_webhook(made, lever, super_admin)
    assert LeverWebhook.objects.get().has_previous


# signature tokens: replaced, retired one by one, deleted in the end


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
