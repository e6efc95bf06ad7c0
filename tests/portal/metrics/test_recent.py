"""What happened in the last minutes by the metrics of the database."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models import Effect
from tests.support import factories
from tests.support.metrics import scrape

LONG_AGO = timedelta(minutes=10)


@pytest.fixture(autouse=True)
def _allowed(settings):
    settings.METRICS_ENABLED = True


def test_calls_are_counted_by_platform_and_status_with_their_times(client, organization):
    now = timezone.now()
    for status, milliseconds, at in (
        (200, 80, now),
        (200, 900, now),
        (429, 10, now),
        (None, 15_000, now),
        (200, 80, now - LONG_AGO),
    ):
        ApiCall.objects.create(
            organization=organization, platform="lever", status=status, duration_ms=milliseconds, at=at
        )
    found = scrape(client)
    ok = 'portal_call_seconds_{}{{{}platform="lever",status="200"}}'
    assert found[ok.format("gcount", "")] == 2
    assert found[ok.format("gsum", "")] == pytest.approx(0.98)
    assert found[ok.format("bucket", 'le="0.1",')] == 1
    assert found[ok.format("bucket", 'le="1.0",')] == found[ok.format("bucket", 'le="+Inf",')] == 2
    assert found['portal_call_seconds_gcount{platform="lever",status="429"}'] == 1
    assert found['portal_call_seconds_bucket{le="20.0",platform="lever",status="none"}'] == 1


def decided(organization, seconds: float, **columns) -> Delivery:
    """Store a webhook that was received so long ago and has its verdict now."""
    now = timezone.now()
    return factories.DeliveryFactory.create(
        organization=organization,
        received_at=now - timedelta(seconds=seconds),
        due_at=None,
        **{"verdict": "no_email", "decided_at": now, **columns},
    )


def test_first_verdicts_are_timed_from_their_webhook(client, organization):
    decided(organization, 0.7)
    decided(organization, 40)
    decided(organization, 40, verdict="", decided_at=None)
    found = scrape(client)
    assert found["portal_verdict_seconds_gcount"] == 2
    assert found['portal_verdict_seconds_bucket{le="1.0"}'] == 1
    assert found['portal_verdict_seconds_bucket{le="60.0"}'] == 2
    assert found["portal_verdict_seconds_gsum"] == pytest.approx(40.7, abs=0.1)


def sent(organization, seconds: float, *, verdict: str = "invite", **effect) -> Invitation:
    """Store an invitation sent now, whose webhook came so long ago."""
    invitation = factories.InvitationFactory.create(
        organization=organization, status="invited", instance_id=str(seconds), invited_at=timezone.now()
    )
    decided(organization, seconds, verdict=verdict, invitation=invitation)
    factories.EffectFactory.create(
        organization=organization, invitation=invitation, kind=Effect.Kind.SEND_INVITATION, **effect
    )
    return invitation


def test_invitations_are_counted_and_those_that_nothing_held_up_timed(client, organization):
    sent(organization, 2)
    sent(organization, 4000, verdict="held_for_approval")
    sent(organization, 3000, retry_window_started_at=timezone.now())
    Invitation.objects.filter(pk=sent(organization, 5).pk).update(invited_at=timezone.now() - LONG_AGO)
    found = scrape(client)
    assert found["portal_invitations_sent"] == 3
    assert found["portal_invitation_seconds_gcount"] == 1
    assert found['portal_invitation_seconds_bucket{le="1.0"}'] == 0
    assert found['portal_invitation_seconds_bucket{le="2.5"}'] == 1


def test_what_the_sweep_repaired_is_counted(client, organization):
    assert scrape(client)["portal_sweep_repairs"] == 0
    invitation = factories.InvitationFactory.create(organization=organization)
    decided(organization, 1, event="sweep", verdict="invite", invitation=invitation)
    decided(organization, 1, event="sweep")
    decided(organization, 700, event="sweep", verdict="invite", invitation=invitation)
    assert scrape(client)["portal_sweep_repairs"] == 1
