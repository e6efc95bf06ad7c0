"""Findings on requests to the webhook addresses that were refused."""

from datetime import timedelta

from django.utils import timezone

from integrations.codescreen.models import CodeScreenConnection
from integrations.health.models import WebhookRejection
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from tests.health.rows import code_and_level, only_finding


def refuse(organization: Organization, platform: str = "lever", **values: object) -> None:
    WebhookRejection.objects.create(
        organization=organization, platform=platform, code="signature_mismatch", **{"count": 41, **values}
    )


def test_refused_requests_are_found_with_their_number_and_reason(healthy_organization: Organization) -> None:
    LeverWebhook.objects.update(last_received_at=timezone.now() - timedelta(hours=2))
    refuse(healthy_organization, hint="unknown_token", last_at=timezone.now() - timedelta(minutes=5))
    assert code_and_level(healthy_organization) == ("webhook_rejected", "warning")
    finding = only_finding(healthy_organization)
    assert finding.message.startswith("We rejected Lever's last message 5 minutes ago: wrong signature.")
    assert "41 times" in finding.message
    assert finding.fix.startswith("The token saved here isn't the one that Lever uses")
    assert finding.page.url == "/settings/#webhook"


def test_refused_requests_are_no_finding_once_another_is_accepted(healthy_organization: Organization) -> None:
    refuse(healthy_organization, last_at=timezone.now() - timedelta(hours=1))
    assert only_finding(healthy_organization).code == "ok"


def test_requests_refused_days_ago_are_no_finding(healthy_organization: Organization) -> None:
    refuse(healthy_organization, last_at=timezone.now() - timedelta(days=2))
    assert only_finding(healthy_organization).code == "ok"


def test_refused_requests_of_codescreen_are_found(healthy_organization: Organization) -> None:
    refuse(healthy_organization, platform="codescreen", count=1)
    assert only_finding(healthy_organization).message.startswith("We rejected CodeScreen's last message")
    CodeScreenConnection.objects.update(last_received_at=timezone.now() + timedelta(minutes=1))
    assert only_finding(healthy_organization).code == "ok"
