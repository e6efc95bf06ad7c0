"""A new key for the webhook addresses: the former one is honoured, and the portal's own webhook is moved in Lever."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from rest_framework.exceptions import NotFound

from integrations.clients import provider
from integrations.health.doctor import findings
from integrations.health.lever_probe import move_webhooks
from integrations.http.session import PlatformError
from integrations.lever.acts.webhooks import make_webhook
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.acts import (
    change_organization,
    create_organization,
    replace_webhook_key,
)
from integrations.organizations.models.organization import Organization
from integrations.queue import duties
from integrations.webhooks.authentication import find_addressee, find_anew
from tests.support import factories
from tests.support.factories import recorded


def hooks(sandbox):
    return [hook for hook in sandbox.account.events.webhooks.values() if hook.by_api]


def codes(organization: Organization) -> dict[str, str]:
    return {finding.code: finding.level for finding in findings(organization)}


def test_the_former_key_is_honoured_beside_the_new_one(organization, super_admin):
    former = organization.webhook_key
    replace_webhook_key(organization, super_admin)
    stored = Organization.objects.get()
    assert stored.webhook_key == organization.webhook_key != former
    for key in (former, stored.webhook_key):
        assert find_addressee(key).organization == organization
    until = stored.previous_webhook_key_until
    assert until is not None
    assert abs(until - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)
    entry = recorded().get()
    assert entry.action == "replace_webhook_address"
    assert former not in str(recorded().values())
    assert stored.webhook_key not in str(recorded().values())


def test_one_former_key_is_honoured(organization, super_admin):
    keys = [organization.webhook_key]
    for _ in range(2):
        replace_webhook_key(organization, super_admin)
        keys.append(organization.webhook_key)
    with pytest.raises(NotFound):
        find_anew(keys[0])
    assert [find_anew(key).organization for key in keys[1:]] == [organization] * 2


# configure


def test_a_key_that_two_requests_store_at_once_becomes_no_former_one(organization):
    read_before = Organization.objects.get(pk=organization.pk)
    former = organization.webhook_key
    change_organization(organization, {"webhook_key": "chosen-by-file"}, "configure")
    assert change_organization(read_before, {"webhook_key": "chosen-by-file"}, "configure") == {}
    assert read_before.webhook_key == "chosen-by-file"
    assert Organization.objects.get(pk=organization.pk).previous_webhook_key == former


def test_a_former_key_that_is_taken_again_is_known_beside_the_one_between(organization, super_admin):
    former = organization.webhook_key
    replace_webhook_key(organization, super_admin)
    between = organization.webhook_key
    change_organization(organization, {"webhook_key": former}, "configure")
    for key in (former, between):
        assert find_addressee(key).organization == organization


def test_another_organization_cannot_take_a_former_key(organization, super_admin):
    former = organization.webhook_key
    replace_webhook_key(organization, super_admin)
    other = factories.OrganizationFactory()
    with pytest.raises(ValidationError) as refused:
        change_organization(other, {"webhook_key": former}, "configure")
    assert "webhook_key" in refused.value.message_dict
    with pytest.raises(ValidationError):
        create_organization(Organization(name="New", slug="new", webhook_key=former), "configure")
    assert find_addressee(former).organization == organization


# the portal's own webhook in Lever


def test_the_portals_webhook_is_moved_with_its_token_and_conditions(
    connected_organization, sandbox, super_admin
):
    lever = provider.lever_client(connected_organization)
    made = make_webhook(connected_organization, lever, super_admin)
    [hook] = hooks(sandbox)
    hook.origins = ["referred"]
    token = hook.signature_token
    replace_webhook_key(connected_organization, super_admin)
    assert move_webhooks(connected_organization, lever, super_admin) == 1
    assert move_webhooks(connected_organization, lever, super_admin) == 0
    [hook] = hooks(sandbox)
    assert (hook.url, hook.signature_token, hook.origins) == (
        connected_organization.lever_webhook_url,
        token,
        ["referred"],
    )
    made.refresh_from_db()
    assert (made.url, made.signature_token) == (hook.url, token)
    assert recorded().filter(action="move_webhook").count() == 1


def test_the_webhook_is_moved_by_the_probe_when_lever_was_away(connected_organization, sandbox, super_admin):
    lever = provider.lever_client(connected_organization)
    make_webhook(connected_organization, lever, super_admin)
    replace_webhook_key(connected_organization, super_admin)
    rule = {"method": "PUT", "path": "/v1/webhooks$", "kind": "status", "times": 1, "status": 500}
    sandbox.lever_does("faults", seed=1, rules=[rule])
    with pytest.raises(PlatformError):
        move_webhooks(connected_organization, lever, super_admin)
    duties.probe_lever(connected_organization)
    assert [hook.url for hook in hooks(sandbox)] == [connected_organization.lever_webhook_url]
    assert "webhook_removed" not in codes(connected_organization)


def test_making_the_webhook_again_moves_it_instead_of_making_a_second(
    connected_organization, sandbox, super_admin
):
    lever = provider.lever_client(connected_organization)
    before = make_webhook(connected_organization, lever, super_admin)
    replace_webhook_key(connected_organization, super_admin)
    after = make_webhook(connected_organization, lever, super_admin)
    assert (after.pk, after.signature_token) == (before.pk, before.signature_token)
    assert [hook.url for hook in hooks(sandbox)] == [connected_organization.lever_webhook_url]


def test_a_webhook_of_another_installation_is_left_alone(
    connected_organization, sandbox, super_admin, settings
):
    """A copy of the database with an address of its own must not take the webhooks away."""
    lever = provider.lever_client(connected_organization)
    make_webhook(connected_organization, lever, super_admin)
    replace_webhook_key(connected_organization, super_admin)
    [address] = [hook.url for hook in hooks(sandbox)]
    settings.PORTAL_URL = "https://copy.example"
    assert move_webhooks(connected_organization, lever, super_admin) == 0
    duties.probe_lever(connected_organization)
    assert [hook.url for hook in hooks(sandbox)] == [address]


def test_a_webhook_made_by_hand_at_a_former_address_is_not_reported_as_removed(
    connected_organization, sandbox, super_admin
):
    webhook = factories.LeverWebhookFactory(
        organization=connected_organization, listed_at=timezone.now() - timedelta(days=1)
    )
    sandbox.lever_does("webhook", event="candidateStageChange", url=connected_organization.lever_webhook_url)
    replace_webhook_key(connected_organization, super_admin)
    duties.probe_lever(connected_organization)
    assert LeverWebhook.objects.get(pk=webhook.pk).missing_since is None
