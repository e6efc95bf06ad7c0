"""The portal's pages on which findings are fixed."""

from dataclasses import dataclass, replace
from typing import Literal, Self


@dataclass(frozen=True)
class Page:
    """A page, what a link to it says, and which of a member's rights its changes need; empty for one that is read."""

    url: str
    text: str
    needs: Literal["may_configure", "may_connect", ""] = ""

    def at(self, place: str) -> Self:
        """Return a place on the page, a part of it or what it lists, as the address goes on."""
        return replace(self, url=f"{self.url}{place}")


ACTIVITY = Page("/activity/", "Open Candidates")
HEALTH = Page("/health/", "Open Health")
MAPPINGS = Page("/mappings/", "Open Mappings", needs="may_configure")
SETTINGS = Page("/settings/", "Open Settings", needs="may_connect")
LEVER_SETTINGS, WEBHOOK_SETTINGS = SETTINGS.at("#lever"), SETTINGS.at("#webhook")
CODESCREEN_SETTINGS, SINGLE_SIGN_ON = SETTINGS.at("#codescreen"), SETTINGS.at("sso/")
AUTHOR, POLICY_SETTINGS = (
    Page(f"{SETTINGS.url}{place}/", SETTINGS.text, needs="may_configure") for place in ("author", "rules")
)
#: Where people who may not change a setting find somebody who may.
ASK = Page(f"{SETTINGS.url}#ask", "Ask an Admin")
