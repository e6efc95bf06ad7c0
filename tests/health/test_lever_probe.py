"""The hourly probe of Lever: what it finds in the sandbox, and how few calls it makes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.clients import provider
from integrations.clients.models import ApiCall
from integrations.health import doctor, lever_probe
from integrations.lever.acts.connection import connect_lever
from integrations.lever.acts.webhooks import make_webhook
from integrations.lever.models.connection import LeverAccess, LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.oauth import SCOPES
from integrations.queue import worker
from tests.support import factories
from tests.support.calls import count_calls


@pytest.fixture
def ready(connected_organization):
    """A connected organization whose feedback template is made."""
    worker.work()
    assert LeverConnection.objects.get(organization=connected_organization).feedback_template_id
    ApiCall.objects.all().delete()
    return connected_organization


def probe(organization) -> LeverConnection:
    lever_probe.probe(organization, provider.lever_client(organization))
    return LeverConnection.objects.get(organization=organization)


def codes(organization) -> set[str]:
    return {finding.code for finding in doctor.findings(type(organization).objects.get(pk=organization.pk))}


def test_a_healthy_account_costs_two_calls_and_finds_nothing_until_a_field_is_removed(ready, sandbox):
    probe(ready)
    assert count_calls() == 2
    assert codes(ready) & {"feedback_template_incomplete", "lever_account_shared", "webhook_removed"} == set()
    template = LeverConnection.objects.get(organization=ready).feedback_template_id
    sandbox.lever.accounts["acme"].templates[template].fields.pop()
    probe(ready)
    assert "feedback_template_incomplete" in codes(ready)


def test_a_webhook_removed_in_lever_is_found_and_so_is_its_return(ready, super_admin):
    lever = provider.lever_client(ready)
    made = make_webhook(ready, lever, super_admin)
    probe(ready)
    made.refresh_from_db()
    assert made.missing_since is None
    lever.delete_webhook(made.lever_webhook_id)
    for _ in range(2):
        probe(ready)
    assert LeverWebhook.objects.filter(pk=made.pk, missing_since__isnull=False).exists()
    assert "webhook_removed" in codes(ready)
    make_webhook(ready, lever, super_admin)
    probe(ready)
    made.refresh_from_db()
    assert made.missing_since is None


def test_a_manual_webhook_is_missing_only_when_lever_listed_it_before(ready):
    by_hand = factories.LeverWebhookFactory.create(organization=ready)
    probe(ready)
    by_hand.refresh_from_db()
    assert (by_hand.listed_at, by_hand.missing_since) == (None, None)
    LeverWebhook.objects.update(listed_at=timezone.now() - timedelta(hours=1))
    probe(ready)
    by_hand.refresh_from_db()
    assert by_hand.missing_since is not None


@pytest.mark.parametrize("account_id", ["", "lever-account"])
def test_an_account_that_another_organization_is_connected_to_is_found(ready, account_id):
    LeverConnection.objects.update(lever_account_id=account_id)
    other = factories.LeverConnectionFactory.create(lever_account_id=account_id)
    lever = provider.lever_client(ready)
    assert probe(ready).is_account_shared is bool(account_id)
    lever.create_webhook(other.organization.lever_webhook_url, "candidateStageChange")
    assert probe(ready).is_account_shared
    assert "lever_account_shared" in codes(ready)
    other.disconnect("Disconnected by a test.")
    assert not probe(ready).is_account_shared
    assert "lever_account_shared" not in codes(ready)


def test_another_account_is_noticed_though_the_token_names_none(ready, sandbox, super_admin):
    made = make_webhook(ready, provider.lever_client(ready), super_admin)
    probe(ready)
    LeverConnection.objects.update(lever_account_id="")
    other = sandbox.lever.accounts["globex"]
    user = other.users[other.actor()]
    grant = sandbox.lever.grants.grant(other, user, frozenset(SCOPES))
    connect_lever(ready, LeverAccess(sandbox.lever.grants.issue(grant, other)), super_admin)
    assert LeverConnection.objects.get(organization=ready).feedback_template_id == ""
    probe(type(ready).objects.get(pk=ready.pk))
    made.refresh_from_db()
    assert made.missing_since is not None
    assert "webhook_removed" in codes(ready)
