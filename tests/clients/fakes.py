"""Clients that a test hands to a step in place of real ones."""

from integrations.clients.provider import ClientProvider
from integrations.codescreen.client import CodeScreenClient
from integrations.lever.client import LeverClient
from integrations.organizations.models.organization import Organization


class FakeClients(ClientProvider):
    """The real clients of an organization, except for those that are given; without an organization, none."""

    def __init__(
        self,
        organization: Organization | None = None,
        *,
        lever: LeverClient | None = None,
        codescreen: CodeScreenClient | None = None,
    ) -> None:
        super().__init__(organization or Organization())
        if lever is not None or organization is None:
            self.lever = lambda: _expected(lever, "Lever")
        if codescreen is not None or organization is None:
            self.codescreen = lambda: _expected(codescreen, "CodeScreen")


def _expected[Client](client: Client | None, platform: str) -> Client:
    assert client is not None, f"no call to {platform} was expected"
    return client
