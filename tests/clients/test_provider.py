"""From an organization's connections to ready clients."""

import pytest

from integrations.clients import provider, tokens
from integrations.http.errors import NotConnected
from integrations.models import LeverConnection, Organization
from tests import factories
from tests.clients.conftest import API


@pytest.mark.parametrize("state", ["needs_reconnect", "revoked"])
def test_no_call_is_made_without_a_working_grant(lever_api, grant, state):
    LeverConnection.objects.update(state=state)
    with pytest.raises(NotConnected):
        provider.lever_client(Organization.objects.get())
    with pytest.raises(NotConnected):
        tokens.token_manager(grant).current()
    assert not lever_api.calls


def test_a_grant_that_is_disconnected_between_two_calls_is_not_used(lever_api, grant):
    lever_api.get(f"{API}/stages", json={"data": []})
    client = provider.lever_client(grant.organization)
    client.stages()
    LeverConnection.objects.get(pk=grant.pk).disconnect("Disconnected by owner.")
    with pytest.raises(NotConnected):
        client.stages()
    assert len(lever_api.calls) == 1


def test_a_codescreen_client_needs_a_working_key(organization):
    with pytest.raises(NotConnected):
        provider.codescreen_client(organization)
    row = factories.CodeScreenConnectionFactory(organization=organization)
    provider.codescreen_client(organization)
    row.mark_refused("CodeScreen answered 401")
    with pytest.raises(NotConnected):
        provider.codescreen_client(organization)
    provider.codescreen_client(organization, allow_refused=True)
