"""The hourly probe of Lever: what it finds in the sandbox, and how few calls it makes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.clients import provider
from integrations.clients.models import ApiCall
from integrations.effects.kinds.feedback import enqueue_template
from integrations.health import doctor, lever_probe
from integrations.health.models import LeverProbe
from integrations.inbox.models.delivery import Delivery
from integrations.lever.acts import connect_lever, make_webhook
from integrations.lever.models.connection import LeverConnection, LeverGrant
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


def probe(organization) -> LeverProbe:
    lever_probe.probe(organization, provider.lever_client(organization))
    return LeverProbe.objects.get(organization=organization)


def codes(organization) -> set[str]:
    return {finding.code for finding in doctor.findings(type(organization).objects.get(pk=organization.pk))}


def receive_deliveries(organization, at, number: int = 40) -> LeverWebhook:
    """Store this many stage changes, evenly over the two weeks before `at`."""
    for turn in range(number):
        row = factories.DeliveryFactory.create(organization=organization, due_at=None)
        Delivery.objects.filter(pk=row.pk).update(received_at=at - timedelta(hours=8) * turn)
    return factories.LeverWebhookFactory.create(organization=organization, last_received_at=at)


def test_a_healthy_account_costs_three_calls_and_finds_nothing(ready):
    found = probe(ready)
    assert (found.is_template_gone, found.missing_fields, found.is_author_gone) == (False, [], False)
    assert count_calls() == 3
    assert codes(ready) & {"feedback_template_gone", "feedback_author_gone", "webhook_removed"} == set()


def test_a_deleted_template_is_a_finding_until_it_is_made_again(ready, sandbox):
    template = LeverConnection.objects.get(organization=ready).feedback_template_id
    account = sandbox.lever.accounts["acme"]
    account.templates.pop(template)
    assert probe(ready).is_template_gone
    assert "feedback_template_gone" in codes(ready)
    enqueue_template(ready)
    worker.work()
    assert "feedback_template_gone" not in codes(ready)


def test_an_author_who_left_is_found(ready, sandbox):
    author = LeverConnection.objects.get(organization=ready).lever_user_id
    sandbox.lever.accounts["acme"].users[author].deactivated_at = 1
    assert probe(ready).is_author_gone
    LeverConnection.objects.update(lever_user_id="nobody")
    assert probe(ready).is_author_gone


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


def test_stage_changes_without_a_delivery_are_counted_after_a_silence(ready, sandbox, monkeypatch):
    monkeypatch.setattr(lever_probe, "STILL_UNDERWAY", -timedelta(minutes=1))
    receive_deliveries(ready, timezone.now() - timedelta(days=2))
    moved = [sandbox.opportunity_id(word) for word in ("Alder", "Birch", "Cedar")]
    sandbox.lever_does("move", opportunities=moved, stage="CodeScreen Assessment")
    found = probe(ready)
    assert found.missed_events == 3
    assert "webhook_silence" in codes(ready)


def test_lever_is_not_asked_for_opportunities_while_the_silence_is_usual(ready, sandbox):
    receive_deliveries(ready, timezone.now() - timedelta(hours=2))
    probe(ready)
    assert not ApiCall.objects.filter(path="/opportunities").exists()


def test_no_stage_changes_are_counted_on_a_quiet_weekend(ready, sandbox):
    receive_deliveries(ready, timezone.now() - timedelta(days=3))
    found = probe(ready)
    assert ApiCall.objects.filter(path="/opportunities").exists()
    assert found.missed_events == 0
    assert "webhook_silence" not in codes(ready)


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
    connect_lever(ready, LeverGrant(sandbox.lever.grants.issue(grant, other)), super_admin)
    assert LeverConnection.objects.get(organization=ready).feedback_template_id == ""
    probe(type(ready).objects.get(pk=ready.pk))
    made.refresh_from_db()
    assert made.missing_since is not None
    assert "webhook_removed" in codes(ready)
