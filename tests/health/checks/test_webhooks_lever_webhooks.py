"""Findings on deliveries that can't be verified or don't arrive."""

from datetime import timedelta

from django.utils import timezone

from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from tests.health.rows import code_and_level, only_finding


def test_a_missing_signature_token_is_an_error(healthy_organization: Organization) -> None:
    LeverWebhook.objects.all().delete()
    assert code_and_level(healthy_organization) == ("no_webhook", "error")


def test_the_fix_depends_on_how_the_webhook_was_made_when_nothing_has_arrived(
    healthy_organization: Organization,
) -> None:
    LeverWebhook.objects.update(last_received_at=None)
    finding = only_finding(healthy_organization)
    assert (finding.code, finding.level) == ("no_webhook", "warning")
    assert "switched on" not in finding.message
    LeverWebhook.objects.update(origin="api")
    assert "switched on in Lever" in only_finding(healthy_organization).message
    LeverWebhook.objects.update(last_verified_at=timezone.now())
    assert code_and_level(healthy_organization) == ("no_webhook", "info")


def test_a_webhook_removed_in_lever_is_an_error_unless_another_delivers(
    healthy_organization: Organization,
) -> None:
    LeverWebhook.objects.update(
        origin="api",
        missing_since=timezone.now() - timedelta(hours=1),
        last_received_at=timezone.now() - timedelta(days=1),
    )
    assert code_and_level(healthy_organization) == ("webhook_removed", "error")
    assert "The webhook that the portal made" in only_finding(healthy_organization).message
    LeverWebhook.objects.create(
        organization=healthy_organization, signature_token="other", last_received_at=timezone.now()
    )
    assert code_and_level(healthy_organization) == ("webhook_removed", "info")
    LeverWebhook.objects.update(retired_at=timezone.now())
    assert only_finding(healthy_organization).code == "no_webhook"
