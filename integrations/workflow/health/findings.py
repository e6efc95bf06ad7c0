"""What the doctor and the mapping linter find: a problem, or what is worth knowing, its fix, and the page for that."""

from dataclasses import dataclass, replace
from typing import Literal, Self

from integrations.finding_code import FindingCode, Level


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


@dataclass(frozen=True)
class Finding:
    """One thing a person should know about an organization, given by its slug.

    `message` says what is wrong, `fix` what to do about it, `page` where in the portal.
    """

    organization: str
    code: FindingCode
    level: Level
    message: str
    fix: str
    page: Page

    @property
    def is_about_setup(self) -> bool:
        """Whether it is about how mappings and tags are set up, and not about what works."""
        return self.code.record.is_about_setup

    @property
    def link_text(self) -> str:
        """What a link to the page says."""
        return self.page.text if self.page == ASK else self.code.record.link or self.page.text
