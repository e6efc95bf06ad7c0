"""Lever's regions: where each has its API, its consent and its pages.

Source: https://hire.lever.co/developer/documentation (API endpoint), https://hire.lever.co/developer/oauth.
"""

from urllib.parse import quote, urlsplit, urlunsplit

from django.conf import settings
from django.db import models


class Region(models.TextChoices):
    """Where a Lever account is kept; an account exists in one region alone."""

    WORLDWIDE = "worldwide", "Worldwide (hire.lever.co)"
    EU = "eu", "European Union (hire.eu.lever.co)"

    @classmethod
    def is_chosen(cls) -> bool:
        """Whether this installation knows a Lever of its own for each region, so that a person has to choose."""
        return len({region.api_url for region in cls}) > 1

    @property
    def api_url(self) -> str:
        return str(settings.LEVER_EU_API_URL if self is Region.EU else settings.LEVER_API_URL)

    @property
    def auth_url(self) -> str:
        """The authorization server, where people consent and tokens are renewed."""
        return str(settings.LEVER_EU_AUTH_URL if self is Region.EU else settings.LEVER_AUTH_URL)

    @property
    def audience(self) -> str:
        """What a consent is for: without it, Lever's token has access to nothing."""
        return f"{self.api_url}/" if self is Region.EU else str(settings.LEVER_AUDIENCE)

    def candidate_page(self, opportunity_id: str) -> str:
        """Return the address of the candidate in Lever."""
        return self._page(f"/candidates/{quote(opportunity_id, safe='')}")

    def webhooks_page(self) -> str:
        """Return the address of Settings › Integrations and API › Webhooks."""
        return self._page("/settings/integrations", "tab=webhooks")

    def _page(self, path: str, query: str = "") -> str:
        """Return an address on the `hire` host that belongs to the API's host."""
        api = urlsplit(self.api_url)
        is_lever = api.netloc.startswith("api.")
        host = f"hire.{api.netloc.removeprefix('api.')}" if is_lever else api.netloc
        return urlunsplit((api.scheme, host, path, query, ""))
