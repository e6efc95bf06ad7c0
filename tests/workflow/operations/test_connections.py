"""Keys, tokens, webhooks and policies: what is refused, what is kept, and what it sets going."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection as database

from integrations.clients import provider
from integrations.http.errors import PlatformError
from integrations.models import (
    ApiCall,
    AuditEntry,
    CodeScreenConnection,
    Delivery,
    Effect,
    LeverConnection,
    LeverWebhook,
    Organization,
    RoleMapping,
)
from integrations.workflow.operations import connections
from tests import factories


@pytest.mark.parametrize("token", ["", "   ", "x" * 501, "two\nlines", "tab\there", "nul\x00"])
def test_a_signature_token_that_cannot_be_one_is_refused(organization, super_admin, token):
    with pytest.raises(ValueError, match="Copy the whole"):
        connections.save_signature_token(organization, token, super_admin)
    assert not LeverWebhook.objects.exists()


@pytest.mark.parametrize("key", ["", "   ", "x" * 501, "two\nlines", "schlüssel", "nul\x00"])
def test_a_key_that_cannot_be_one_is_refused(organization, super_admin, key):
    with pytest.raises(ValueError, match="Copy the whole"):
        connections.save_codescreen_key(organization, key, super_admin)


@pytest.mark.parametrize(
    "secret", ["secret", "whsec_", "whsec_not base64", "whsec_c2hvcnQ=", "whsec_" + "QUFB" * 40]
)
def test_a_webhook_secret_that_cannot_be_one_is_refused(organization, super_admin, secret):
    with pytest.raises(ValueError, match="whsec_"):
        connections.save_codescreen_webhook_secret(organization, secret, super_admin)


def test_saving_is_on_the_record_without_the_secret(organization, super_admin):
    connections.save_signature_token(organization, "signature-1", super_admin)
    connections.save_signature_token(organization, "signature-2", super_admin)
    connections.save_codescreen_key(organization, "key-1", super_admin)
    connections.save_codescreen_webhook_secret(organization, factories.WEBHOOK_SECRET, super_admin)
    connections.save_codescreen_webhook_secret(organization, "", super_admin)
    entries = list(AuditEntry.objects.order_by("pk"))
    assert len(entries) == 5
    assert {entry.actor for entry in entries} == {super_admin}
    kept = str([entry.changes for entry in entries])
    assert all(secret not in kept for secret in ("signature-", "key-1", "whsec_"))
    assert entries[1].changes == {"signature_token": ["set", "set"]}
    assert entries[-1].changes == {"webhook_secret": ["set", "empty"]}


def test_saving_the_same_again_changes_nothing(organization, super_admin):
    for _ in range(2):
        connections.save_signature_token(organization, "signature-1", super_admin)
        connections.save_codescreen_key(organization, "key-1", super_admin)
        connections.save_codescreen_webhook_secret(organization, factories.WEBHOOK_SECRET, super_admin)
    assert AuditEntry.objects.count() == 3
    assert LeverWebhook.objects.get().previous_signature_token == ""


def test_secrets_are_encrypted_at_rest(organization, super_admin):
    connections.save_signature_token(organization, "signature-1", super_admin)
    connections.save_codescreen_key(organization, "key-1", super_admin)
    with database.cursor() as cursor:
        cursor.execute("SELECT signature_token FROM integrations_leverwebhook")
        assert "signature-1" not in cursor.fetchone()[0]
        cursor.execute("SELECT api_key FROM integrations_codescreenconnection")
        assert "key-1" not in cursor.fetchone()[0]


def test_disconnecting_forgets_the_tokens(organization, super_admin):
    factories.LeverConnectionFactory(organization=organization)
    for _ in range(2):
        connections.disconnect_lever(organization, super_admin)
    row = LeverConnection.objects.get()
    assert (row.state, row.access_token, row.refresh_token) == ("revoked", "", "")
    connections.disconnect_lever(factories.OrganizationFactory(), super_admin)


# CodeScreen's key on trial


def test_a_good_key_is_proven_by_the_list(connected_organization, sandbox):
    assert (
        connections.verify_codescreen_key(
            connected_organization, provider.codescreen_client(connected_organization)
        )
        == connected_organization.assessments.count()
        > 0
    )
    row = CodeScreenConnection.objects.get()
    assert row.verified_at is not None


def test_a_bad_key_is_marked(connected_organization, sandbox):
    CodeScreenConnection.objects.update(api_key="wrong")
    with pytest.raises(PlatformError):
        connections.verify_codescreen_key(
            connected_organization,
            provider.codescreen_client(Organization.objects.get(pk=connected_organization.pk)),
        )
    assert CodeScreenConnection.objects.get().state == "refused"


def test_a_key_that_works_again_takes_up_what_waited(connected_organization, sandbox):
    CodeScreenConnection.objects.update(state="refused")
    row = factories.DeliveryFactory(
        organization=connected_organization,
        verdict="disconnected",
        decided_at="2026-01-01T00:00Z",
        due_at=None,
    )
    connections.verify_codescreen_key(
        connected_organization, provider.codescreen_client(connected_organization, allow_refused=True)
    )
    assert CodeScreenConnection.objects.get().is_working
    assert Delivery.objects.due().get() == row


# webhooks made through Lever


def hooks(sandbox):
    return [hook for hook in sandbox.lever.accounts["acme"].events.webhooks.values() if hook.by_api]


def test_the_webhook_is_made_once(connected_organization, sandbox, super_admin):
    lever = provider.lever_client(connected_organization)
    first = connections.make_webhooks(connected_organization, lever, super_admin)
    assert connections.make_webhooks(connected_organization, lever, super_admin) == first
    [hook] = hooks(sandbox)
    assert hook.url == connected_organization.lever_webhook_url
    assert first[0].signature_token
    assert first[0].origin == "api"
    assert AuditEntry.objects.filter(action="make_webhook").count() == 1
    # the address opens the door by its key: it isn't for everybody who reads the logs
    assert connected_organization.webhook_key not in str(list(AuditEntry.objects.values()))
    assert connected_organization.webhook_key not in str(list(ApiCall.objects.values()))


def test_a_webhook_that_was_removed_in_lever_is_made_again(connected_organization, sandbox, super_admin):
    lever = provider.lever_client(connected_organization)
    [before] = connections.make_webhooks(connected_organization, lever, super_admin)
    lever.delete_webhook(before.lever_webhook_id)
    [after] = connections.make_webhooks(connected_organization, lever, super_admin)
    assert (before.pk, len(hooks(sandbox))) == (after.pk, 1)
    assert before.lever_webhook_id != after.lever_webhook_id


def test_a_webhook_whose_token_was_lost_is_made_again(connected_organization, sandbox, super_admin):
    lever = provider.lever_client(connected_organization)
    connections.make_webhooks(connected_organization, lever, super_admin)
    LeverWebhook.objects.update(signature_token="")
    connections.make_webhooks(connected_organization, lever, super_admin)
    assert len(hooks(sandbox)) == 1
    assert LeverWebhook.objects.get().signature_token


def test_removing_webhooks_twice_is_no_error(connected_organization, sandbox, super_admin):
    lever = provider.lever_client(connected_organization)
    [made] = connections.make_webhooks(connected_organization, lever, super_admin)
    lever.delete_webhook(made.lever_webhook_id)
    connections.remove_webhooks(connected_organization, lever, super_admin)
    connections.remove_webhooks(connected_organization, lever, super_admin)
    assert not LeverWebhook.objects.active().exists()
    assert connected_organization.audit_entries.filter(action="remove_webhook").count() == 1


# policies


def test_policies_are_recorded_before_and_after(organization, super_admin):
    changed = connections.set_policies(organization, {"bulk_limit": 7, "note_on_skip": True}, super_admin)
    assert changed == {"bulk_limit": (50, 7)}
    assert AuditEntry.objects.get().changes == {"bulk_limit": [50, 7]}
    assert connections.set_policies(organization, {"bulk_limit": 7}, super_admin) == {}
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"bulk_limit": -1},
        {"bulk_window": 0},
        {"rating_2_from": 90},
        {"rating_4_from": 101},
        {"stage_prefix": ""},
        {"stage_prefix": "x" * 81},
        {"slug": "another"},
        {"webhook_key": "guessable"},
    ],
    ids=str,
)
def test_an_impossible_policy_is_refused(organization, super_admin, changes):
    with pytest.raises(ValidationError):
        connections.set_policies(organization, changes, super_admin)
    before = type(organization).objects.get(pk=organization.pk)
    assert all(getattr(before, name) != value for name, value in changes.items())
    assert not AuditEntry.objects.exists()


def test_ending_the_pause_takes_up_what_waited(organization, super_admin):
    connections.set_policies(organization, {"paused": True}, super_admin)
    row = factories.DeliveryFactory(
        organization=organization, verdict="paused", decided_at="2026-01-01T00:00Z", due_at=None
    )
    effect = factories.EffectFactory(organization=organization, due_at="2999-01-01T00:00Z")
    connections.set_policies(organization, {"paused": False}, super_admin)
    assert Delivery.objects.due().get() == row
    assert Effect.objects.due().get() == effect


def test_a_mapping_that_makes_the_stage_on_pass_invite_keeps_nobody_from_pausing(organization, super_admin):
    connections.set_policies(organization, {"passed_stage": "Phone screen"}, super_admin)
    RoleMapping.objects.create(
        organization=organization, role="Engineer", stage="Phone screen", assessment="Backend"
    )
    connections.set_policies(organization, {"paused": True}, super_admin)
    assert Organization.objects.get().paused
    with pytest.raises(ValidationError, match="sends an assessment"):
        connections.set_policies(organization, {"passed_stage": "phone screen"}, super_admin)
