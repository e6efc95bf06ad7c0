"""Drives one platform of the sandbox through its control API, and reads its ledger."""

from collections.abc import Sequence
from typing import Any

import requests

from portal.devtools.processes import REQUEST_SECONDS, RunFailed
from portal.devtools.sandbox.values import JsonObject

LEDGER_SECONDS = 120


class SandboxClient:
    """The control API of the sandbox's Lever or CodeScreen; see the control modules for the actions."""

    def __init__(self, url: str) -> None:
        self.url = url

    def act(self, action: str, /, **body: Any) -> Any:
        """Perform an action and return its JSON answer. Raises RunFailed if the sandbox refuses it."""
        response = self.try_to_act(action, **body)
        if not response.ok:
            raise RunFailed(f"the sandbox refused {action}: {response.status_code} {response.text[:300]}")
        return response.json()

    def try_to_act(self, action: str, /, **body: Any) -> requests.Response:
        """Request an action and return the response, whatever its status."""
        return requests.post(f"{self.url}/_control/{action}", json=body, timeout=REQUEST_SECONDS)

    def ledger(self, slug: str) -> JsonObject:
        """Return what the platform recorded about one account: what happened, its calls and their faults."""
        account: JsonObject = self._get("ledger", account=slug)["accounts"][slug]
        return account

    def pending_deliveries(self) -> int:
        """Return how many webhooks of all accounts are still on their way."""
        return int(self._get("ledger", account="none")["pending_deliveries"])

    def set_faults(self, seed: int, rules: Sequence[JsonObject]) -> None:
        """Let calls to the platform fail by these rules, from now on; without rules every call succeeds again."""
        self.act("faults", seed=seed, rules=list(rules))

    def _get(self, path: str, **query: str) -> JsonObject:
        response = requests.get(f"{self.url}/_control/{path}", params=query, timeout=LEDGER_SECONDS)
        response.raise_for_status()
        answer: JsonObject = response.json()
        return answer
