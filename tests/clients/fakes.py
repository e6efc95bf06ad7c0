"""Clients that a test hands to a step in place of real ones."""

from integrations.clients.hooks import CallContext
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
        super().__init__(organization or Organization(), CallContext())
        self._is_real = organization is not None
        self._given_lever, self._given_codescreen = lever, codescreen

    def lever(self) -> LeverClient:
        """Return the given client, else the real one."""
        assert self._given_lever or self._is_real, "no call to Lever was expected"
        return self._given_lever or super().lever()

    def codescreen(self) -> CodeScreenClient:
        """Return the given client, else the real one."""
        assert self._given_codescreen or self._is_real, "no call to CodeScreen was expected"
        return self._given_codescreen or super().codescreen()
