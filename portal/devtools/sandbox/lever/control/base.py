"""What every group of the pretend Lever's control calls shares."""

from typing import Any

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.json_values import JsonObject, pick
from portal.devtools.sandbox.lever.behaviour.platform import LeverPlatform
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.opportunity import Opportunity


class ControlApi:
    """A group of JSON calls under /_control/; faults never happen to them."""

    def __init__(self, platform: LeverPlatform) -> None:
        self._platform = platform

    def account(self, body: JsonObject) -> LeverAccount:
        """Return the account a body names; raises a 404 HttpError."""
        account = self._platform.accounts.get(pick(body, "account", str, ""))
        if account is None:
            raise HttpError(404, f"no such account: {body.get('account')}")
        return account

    def opportunities(self, account: LeverAccount, body: JsonObject) -> list[Opportunity]:
        """Return the opportunities a body names, one or several; raises a 400 HttpError."""
        ids: list[Any] = [body["opportunity"]] if "opportunity" in body else body.get("opportunities", [])
        missing = [item for item in ids if item not in account.opportunities]
        if not ids or missing:
            raise HttpError(400, f"unknown opportunities: {missing}" if ids else "name some opportunities")
        return [account.opportunities[item] for item in ids]
