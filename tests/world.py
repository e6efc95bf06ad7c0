"""The pretend platforms as a test uses them."""

from typing import Any, Self

import requests

from portal.devtools.sandbox.codescreen import CodeScreenSandbox
from portal.devtools.sandbox.ids import stable_id
from portal.devtools.sandbox.lever import LeverSandbox

CALLBACK = "http://testserver/oauth/complete/lever/"
SECONDS = 10


class World:
    """A pretend Lever and CodeScreen with the account `acme`, driven through their control doors."""

    def __init__(self) -> None:
        self.lever = LeverSandbox(redirect_uris=(CALLBACK,))
        self.codescreen = CodeScreenSandbox()

    def __enter__(self) -> Self:
        self.lever.start()
        self.codescreen.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.lever.stop()
        self.codescreen.stop()

    def lever_does(self, act: str, **body: Any) -> Any:
        """Do something in Lever."""
        return self._control(self.lever.url, act, body)

    def codescreen_does(self, act: str, **body: Any) -> Any:
        """Do something in CodeScreen."""
        return self._control(self.codescreen.url, act, body)

    def _control(self, url: str, act: str, body: dict[str, Any]) -> Any:
        answer = requests.post(f"{url}/_control/{act}", json={"account": "acme", **body}, timeout=SECONDS)
        answer.raise_for_status()
        return answer.json()

    def candidate(self, word: str, account: str = "acme") -> str:
        """Return the opportunity id of a seeded candidate."""
        return stable_id(account, "opportunity", word)

    def stage(self, name: str) -> str:
        """Return the id of a seeded stage."""
        return stable_id("acme", "stage", name)

    def opportunity(self, word: str) -> dict[str, Any]:
        """Return what Lever's books say of a candidate."""
        books = requests.get(f"{self.lever.url}/_control/ledger?account=acme", timeout=SECONDS).json()
        found: dict[str, Any] = books["accounts"]["acme"]["opportunities"][self.candidate(word)]
        return found

    def emails(self, address: str = "") -> int:
        """Return how many invitations CodeScreen sent, to one address or in all."""
        books = requests.get(f"{self.codescreen.url}/_control/ledger?account=acme", timeout=SECONDS).json()
        rows = books["accounts"]["acme"]["invitations"]
        return sum(row["emails_sent"] for row in rows if address in ("", row["email"]))

    @property
    def api_key(self) -> str:
        """CodeScreen's key of the account."""
        return stable_id("acme", "codescreen-key")
