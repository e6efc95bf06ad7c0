"""The hourly look at Lever: what it finds on the pretend Lever's own books, and how little it asks."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.clients import provider
from integrations.models import ApiCall, Delivery, LeverConnection, LeverProbe, LeverWebhook
from integrations.queue import worker
from integrations.workflow.health import doctor, lever_probe
from integrations.workflow.operations.lever_webhooks import make_webhook
from integrations.workflow.outbox.enqueue import enqueue_template
from tests import factories


@pytest.fixture
def ready(connected_organization):
    """A connected organization whose feedback template is made."""
    worker.work()
    assert LeverConnection.objects.get(organization=connected_organization).feedback_template_id
    ApiCall.objects.all().delete()
    return connected_organization


def look(organization) -> LeverProbe:
    lever_probe.probe(organization, provider.lever_client(organization))
    return LeverProbe.objects.get(organization=organization)


def codes(organization) -> set[str]:
    return {finding.code for finding in doctor.findings(type(organization).objects.get(pk=organization.pk))}


def heard(organization, at, number: int = 40) -> LeverWebhook:
    """Let that many stage changes have come evenly in the two weeks before `at`."""
    for turn in range(number):
        row = factories.DeliveryFactory.create(organization=organization, due_at=None)
        Delivery.objects.filter(pk=row.pk).update(received_at=at - timedelta(hours=8) * turn)
    return factories.LeverWebhookFactory.create(organization=organization, last_received_at=at)


def test_a_healthy_account_costs_three_calls_and_finds_nothing(ready):
    found = look(ready)
    assert (found.is_template_gone, found.missing_fields, found.is_author_gone) == (False, [], False)
    assert ApiCall.objects.count() == 3
    assert codes(ready) & {"feedback_template_gone", "feedback_author_gone", "webhook_removed"} == set()


def test_a_template_that_was_deleted_is_told_until_it_is_made_again(ready, sandbox):
    template = LeverConnection.objects.get(organization=ready).feedback_template_id
    account = sandbox.lever.accounts["acme"]
    account.templates.pop(template)
    assert look(ready).is_template_gone
    assert "feedback_template_gone" in codes(ready)
    enqueue_template(ready)
    worker.work()
    assert "feedback_template_gone" not in codes(ready)


def test_an_author_who_left_is_told(ready, sandbox):
    author = LeverConnection.objects.get(organization=ready).lever_user_id
    sandbox.lever.accounts["acme"].users[author].deactivated_at = 1
    assert look(ready).is_author_gone
    LeverConnection.objects.update(lever_user_id="nobody")
    assert look(ready).is_author_gone


def test_a_webhook_that_is_removed_in_lever_is_noticed_and_its_return_too(ready, super_admin):
    lever = provider.lever_client(ready)
    made = make_webhook(ready, lever, super_admin)
    look(ready)
    made.refresh_from_db()
    assert made.missing_since is None
    lever.delete_webhook(made.lever_webhook_id)
    for _ in range(2):
        look(ready)
    assert LeverWebhook.objects.filter(pk=made.pk, missing_since__isnull=False).exists()
    assert "webhook_removed" in codes(ready)
    make_webhook(ready, lever, super_admin)
    look(ready)
    made.refresh_from_db()
    assert made.missing_since is None


def test_a_webhook_made_by_hand_is_missed_only_where_lever_listed_it_before(ready):
    by_hand = factories.LeverWebhookFactory.create(organization=ready)
    look(ready)
    by_hand.refresh_from_db()
    assert (by_hand.listed_at, by_hand.missing_since) == (None, None)
    LeverWebhook.objects.update(listed_at=timezone.now() - timedelta(hours=1))
    look(ready)
    by_hand.refresh_from_db()
    assert by_hand.missing_since is not None


def test_moves_that_no_webhook_told_of_are_counted_after_a_silence(ready, sandbox, monkeypatch):
    monkeypatch.setattr(lever_probe, "STILL_UNDERWAY", -timedelta(minutes=1))
    heard(ready, timezone.now() - timedelta(days=2))
    moved = [sandbox.opportunity_id(word) for word in ("Alder", "Birch", "Cedar")]
    sandbox.lever_does("move", opportunities=moved, stage="CodeScreen Assessment")
    found = look(ready)
    assert found.missed_events == 3
    assert "webhook_silence" in codes(ready)


def test_nobody_asks_while_the_silence_is_usual(ready, sandbox):
    heard(ready, timezone.now() - timedelta(hours=2))
    look(ready)
    assert not ApiCall.objects.filter(path="/opportunities").exists()


def test_a_quiet_weekend_counts_nobody(ready, sandbox):
    heard(ready, timezone.now() - timedelta(days=3))
    found = look(ready)
    assert ApiCall.objects.filter(path="/opportunities").exists()
    assert found.missed_events == 0
    assert "webhook_silence" not in codes(ready)
