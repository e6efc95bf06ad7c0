"""From an organization's connections to ready clients."""

import time
from types import SimpleNamespace

import pytest

from integrations.clients import call_log, lever_tokens, provider
from integrations.http.session import NotConnected
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from tests.clients.conftest import API


@pytest.mark.parametrize("state", ["needs_reconnect", "revoked"])
def test_no_call_is_made_without_a_working_grant(lever_api, grant, state):
    LeverConnection.objects.update(state=state)
    with pytest.raises(NotConnected):
        provider.lever_client(Organization.objects.get())
    grant.refresh_from_db()
    with pytest.raises(NotConnected):
        lever_tokens.token_source(grant).current()
    assert not lever_api.calls


def test_a_grant_that_is_disconnected_during_a_long_step_is_not_used(lever_api, grant, monkeypatch):
    lever_api.get(f"{API}/stages", json={"data": []})
    client = provider.lever_client(grant.organization)
    client.stages()
    LeverConnection.objects.get(pk=grant.pk).disconnect("Disconnected by owner.")
    monkeypatch.setattr(lever_tokens, "READ_AGAIN_AFTER_SECONDS", 0.0)
    with pytest.raises(NotConnected):
        client.stages()
    assert len(lever_api.calls) == 1


def test_the_age_of_a_grant_counts_from_its_reading_and_not_from_the_client(lever_api, grant, monkeypatch):
    organization = Organization.objects.reread(grant.organization_id)
    LeverConnection.objects.get(pk=grant.pk).disconnect("Disconnected by owner.")
    later = time.monotonic() + lever_tokens.READ_AGAIN_AFTER_SECONDS
    monkeypatch.setattr(lever_tokens, "time", SimpleNamespace(monotonic=lambda: later))
    lever_api.get(f"{API}/stages", json={"data": []})
    with pytest.raises(NotConnected):
        provider.lever_client(organization).stages()
    assert not lever_api.calls


def test_a_grant_that_is_disconnected_between_two_calls_is_read_when_lever_refuses_the_token(
    lever_api, grant
):
    client = provider.lever_client(grant.organization)
    LeverConnection.objects.get(pk=grant.pk).disconnect("Disconnected by owner.")
    lever_api.get(f"{API}/stages", status=401)
    with pytest.raises(NotConnected):
        client.stages()
    assert len(lever_api.calls) == 1


def test_a_short_step_reads_nothing_between_its_calls(lever_api, grant, django_assert_num_queries, settings):
    lever_api.get(f"{API}/stages", json={"data": []})
    client = provider.lever_client(grant.organization)
    with call_log.collected():
        client.stages()
        reserving_the_slot = 0 if settings.REDIS_URL else 1
        with django_assert_num_queries(reserving_the_slot):
            client.stages()
