"""The pretend platforms as a test uses them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

import requests

from integrations.lever.acts.connection import connect_lever
from integrations.lever.models.connection import LeverAccess
from integrations.lever.oauth import SCOPES
from integrations.organizations.models.organization import Organization
from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.records import Opportunity
from portal.devtools.sandbox.lever.server import LeverSandbox
from portal.devtools.sandbox.values import stable_id

ACCOUNT = "acme"
CALLBACK = "http://testserver/oauth/complete/lever/"
TIMEOUT_SECONDS = 60


class Sandbox:
    """A pretend Lever and CodeScreen with the account `acme`, driven through their control APIs.

    CodeScreen states results, as it does for those who asked: a test of a default account switches `metadata` off.
    """

    def __init__(self) -> None:
        self.lever = LeverSandbox(redirect_uris=(CALLBACK,))
        self.codescreen = CodeScreenSandbox()
        self.codescreen.platform.accounts[ACCOUNT].settings.update({"metadata": True})

    def __enter__(self) -> Self:
        self.lever.start()
        self.codescreen.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.lever.stop()
        self.codescreen.stop()

    def lever_does(self, action: str, /, **body: Any) -> Any:
        """Do something in Lever by a control call, and return its answer."""
        return _control(self.lever.url, action, body)

    def codescreen_does(self, action: str, /, **body: Any) -> Any:
        """Do something in CodeScreen by a control call, and return its answer."""
        return _control(self.codescreen.url, action, body)

    @property
    def account(self) -> LeverAccount:
        """The account in Lever, for what no control call changes."""
        return self.lever.accounts[ACCOUNT]

    def candidate(self, name: str) -> Opportunity:
        """Return a seeded candidate's own record in Lever."""
        return self.account.opportunities[self.opportunity_id(name)]

    def tokens(self, scopes: Iterable[str] = SCOPES) -> dict[str, Any]:
        """Return the tokens that Lever gives when the account's Super Admin consents."""
        user = self.account.users[str(self.account.actor())]
        grant = self.lever.grants.grant(self.account, user, frozenset(scopes))
        return self.lever.grants.issue(grant, self.account)

    def connect(self, organization: Organization, person: Any) -> None:
        """Let a person connect the organization with the account; no browser is involved."""
        access = LeverAccess(self.tokens(), self.account.id, str(self.account.actor()))
        connect_lever(organization, access, person)

    def opportunity_id(self, name: str, account: str = ACCOUNT) -> str:
        """Return the opportunity id of a seeded candidate."""
        return stable_id(account, "opportunity", name)

    def stage_id(self, name: str) -> str:
        """Return the id of a seeded stage."""
        return stable_id(ACCOUNT, "stage", name)

    def set_entered_at(self, name: str, at: datetime) -> None:
        """Let a seeded candidate have come into the present stage at that time, by Lever's clock."""
        self.candidate(name).stage_changes[-1]["updatedAt"] = int(at.timestamp() * 1000)

    def opportunity(self, name: str) -> dict[str, Any]:
        """Return what Lever's ledger holds about a seeded candidate."""
        entry: dict[str, Any] = _ledger(self.lever.url)["opportunities"][self.opportunity_id(name)]
        return entry

    def invitations_sent(self, address: str = "") -> int:
        """Return how many invitations CodeScreen sent, to one e-mail address or in all."""
        invitations = _ledger(self.codescreen.url)["invitations"]
        return sum(item["emails_sent"] for item in invitations if address in ("", item["email"]))

    def assessments_sent(self) -> list[str]:
        """Return the assessment of each invitation that CodeScreen sent, by name."""
        invitations = _ledger(self.codescreen.url)["invitations"]
        return sorted(item["assessment"] for item in invitations for _ in range(item["emails_sent"]))

    @property
    def api_key(self) -> str:
        """CodeScreen's key of the account."""
        return stable_id(ACCOUNT, "codescreen-key")


def _control(url: str, action: str, body: dict[str, Any]) -> Any:
    answer = requests.post(
        f"{url}/_control/{action}", json={"account": ACCOUNT, **body}, timeout=TIMEOUT_SECONDS
    )
    answer.raise_for_status()
    return answer.json()


def _ledger(url: str) -> dict[str, Any]:
    answer = requests.get(f"{url}/_control/ledger", params={"account": ACCOUNT}, timeout=TIMEOUT_SECONDS)
    ledger: dict[str, Any] = answer.json()["accounts"][ACCOUNT]
    return ledger
