"""Connecting and disconnecting Lever."""

from integrations.lever.acts.connection import disconnect_lever
from integrations.lever.models.connection import LeverConnection
from tests.support import factories


def test_disconnecting_deletes_the_tokens(organization, super_admin):
    factories.LeverConnectionFactory(organization=organization)
    for _ in range(2):
        disconnect_lever(organization, super_admin)
    row = LeverConnection.objects.get()
    assert (row.state, row.access_token, row.refresh_token) == ("revoked", "", "")
    disconnect_lever(factories.OrganizationFactory(), super_admin)
