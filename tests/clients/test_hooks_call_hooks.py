"""What is recorded of each call, and how the lease of its row is renewed."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.clients import hooks, provider
from integrations.clients.hooks import CallContext
from integrations.clients.models import ApiCall
from integrations.http.session import CallDeferred, PlatformError
from integrations.outbox.models.effect import Effect
from tests.clients.conftest import API, AUTH, FRESH, let_token_expire_soon
from tests.support import factories

PERSON = {
    "id": "opportunity-1",
    "name": "Candidate Alder",
    "headline": "Alder & Sons",
    "emails": ["alder@candidates.example"],
    "phones": [{"type": "mobile", "value": "+1 555 0100"}],
    "links": ["https://alder.example"],
    "location": "Alder Street",
    "contact": "contact-1",
    "stage": "stage-1",
    "tags": ["urgent"],
}


def test_a_call_is_recorded_without_secrets_and_personal_data(lever_api, grant):
    let_token_expire_soon(grant)
    lever_api.post(f"{AUTH}/oauth/token", json=FRESH)
    lever_api.get(f"{API}/opportunities/opportunity-1", json={"data": PERSON})
    lever_api.post(
        f"{API}/opportunities/opportunity-1/addLinks", status=400, json={"code": "Bad", "message": "no"}
    )
    lever_api.post(
        f"{API}/webhooks", json={"data": {"id": "w", "configuration": {"signatureToken": "signature-secret"}}}
    )
    effect = factories.EffectFactory(
        organization=grant.organization, attempts=3, opportunity_id="opportunity-1"
    )
    client = provider.lever_client(grant.organization, CallContext(effect=effect))
    client.opportunity("opportunity-1")
    with pytest.raises(PlatformError):
        client.add_links("opportunity-1", ["https://report.example/1"])
    client.create_webhook("https://portal.example", "candidateStageChange")
    rows = list(ApiCall.objects.order_by("pk"))
    assert [(row.method, row.path, row.status) for row in rows] == [
        ("POST", "/oauth/token", 200),
        ("GET", "/opportunities/opportunity-1", 200),
        ("POST", "/opportunities/opportunity-1/addLinks", 400),
        ("POST", "/webhooks", 200),
    ]
    assert {row.attempt for row in rows} == {3}
    assert {row.opportunity_id for row in rows} == {"opportunity-1"}
    assert len({row.correlation_id for row in rows}) == 1
    assert rows[2].error
    assert "stage-1" in rows[1].response_body
    everything = str([(row.path, row.request_body, row.response_body, row.error) for row in rows])
    assert not re.search(
        "access-|refresh-|secret|alder|555|@", everything.replace("client_secret", ""), re.IGNORECASE
    )


@pytest.fixture
def held_effect(grant):
    """An effect whose lease has almost expired."""
    factories.EffectFactory(organization=grant.organization)
    effect = factories.claimed(Effect, "busy")
    Effect.objects.update(leased_until=timezone.now() + timedelta(seconds=5))
    return effect


def test_a_slow_step_renews_its_lease_between_calls(lever_api, grant, held_effect, monkeypatch):
    lever_api.get(f"{API}/stages", json={"data": []})
    lever = provider.lever_client(grant.organization, CallContext(effect=held_effect))
    lever.stages()
    assert Effect.objects.filter(leased_until__lt=timezone.now() + timedelta(seconds=10)).exists()
    monkeypatch.setattr(hooks, "RENEW_AFTER_SECONDS", 0.0)
    lever.stages()
    assert Effect.objects.filter(leased_until__gt=timezone.now() + timedelta(seconds=40)).exists()


def test_a_step_makes_no_more_calls_when_its_row_was_taken_over(lever_api, grant, held_effect, monkeypatch):
    monkeypatch.setattr(hooks, "RENEW_AFTER_SECONDS", 0.0)
    Effect.objects.update(lease_owner="replacement")
    with pytest.raises(CallDeferred):
        provider.lever_client(grant.organization, CallContext(effect=held_effect)).stages()
    assert not lever_api.calls


def test_a_client_made_late_in_a_step_renews_the_lease_before_its_first_call(
    lever_api, grant, held_effect, settings
):
    settings.CODESCREEN_API_URL = "https://codescreen.example/api"
    factories.CodeScreenConnectionFactory(organization=grant.organization)
    lever_api.get("https://codescreen.example/api/assessments", json=[])
    held_effect.leased_until = timezone.now() + timedelta(seconds=5)
    held_effect.fenced().update(leased_until=held_effect.leased_until)
    provider.codescreen_client(grant.organization, CallContext(effect=held_effect)).assessments()
    held_effect.refresh_from_db()
    assert held_effect.leased_until > timezone.now() + timedelta(seconds=40)
