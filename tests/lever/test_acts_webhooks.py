"""The webhook that the portal makes through Lever's API."""

import pytest

from integrations.audit.models.entry import AuditEntry
from integrations.clients import provider
from integrations.clients.models import ApiCall
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import PlatformError
from integrations.lever.acts.webhooks import make_webhook, make_webhooks, remove_webhooks, rotate_webhook
from integrations.lever.models.webhook import LeverWebhook


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


def test_a_webhook_that_was_removed_in_lever_is_made_again(connected_organization, sandbox, super_admin):
    lever = provider.lever_client(connected_organization)
    before = make_webhook(connected_organization, lever, super_admin)
    lever.delete_webhook(before.lever_webhook_id)
    after = make_webhook(connected_organization, lever, super_admin)
    assert (before.pk, len(hooks(sandbox))) == (after.pk, 1)
    assert before.lever_webhook_id != after.lever_webhook_id


def test_a_webhook_whose_token_was_lost_is_made_again(connected_organization, sandbox, super_admin):
    lever = provider.lever_client(connected_organization)
    make_webhook(connected_organization, lever, super_admin)
    LeverWebhook.objects.update(signature_token="")
    make_webhook(connected_organization, lever, super_admin)
    assert len(hooks(sandbox)) == 1
    assert LeverWebhook.objects.get().signature_token


def test_removing_webhooks_twice_is_no_error(connected_organization, sandbox, super_admin):
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
    connected_organization, sandbox, super_admin
):
    lever = provider.lever_client(connected_organization)
    made = make_webhook(connected_organization, lever, super_admin)
    LeverWebhook.objects.update(url="https://former.example/webhooks/lever/key/")
    rotate_webhook(made, lever, super_admin)
    assert LeverWebhook.objects.get().url == connected_organization.lever_webhook_url


def test_a_former_webhook_that_lever_does_not_delete_is_told(
    connected_organization, sandbox, super_admin, monkeypatch
):
    lever = provider.lever_client(connected_organization)
    made = make_webhook(connected_organization, lever, super_admin)

    def refuse(webhook_id):
        raise PlatformError("Lever is down", status=503)

    monkeypatch.setattr(lever, "delete_webhook", refuse)
    with pytest.raises(PlatformError, match="has a new token, but Lever still lists the one before"):
        rotate_webhook(made, lever, super_admin)
    assert LeverWebhook.objects.get().has_previous
