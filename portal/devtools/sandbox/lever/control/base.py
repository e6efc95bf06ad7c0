"""What every group of the pretend Lever's control calls shares."""

from portal.devtools.sandbox.control_api import ControlApi
from portal.devtools.sandbox.http.messages import HttpError
from portal.devtools.sandbox.lever.behaviour.platform import LeverPlatform
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.records import Opportunity
from portal.devtools.sandbox.values import JsonObject


class LeverControl(ControlApi[LeverAccount]):
    """A group of the pretend Lever's control calls."""

    def __init__(self, platform: LeverPlatform) -> None:
        super().__init__(platform.accounts, platform.sender)
        self._platform = platform

    def opportunities(self, account: LeverAccount, body: JsonObject) -> list[Opportunity]:
        """Return the opportunities a body names, one or several; raises a 400 HttpError."""
        ids = [body["opportunity"]] if "opportunity" in body else body.get("opportunities", [])
        missing = [item for item in ids if item not in account.opportunities]
        if not ids or missing:
            raise HttpError(400, f"unknown opportunities: {missing}" if ids else "name some opportunities")
        return [account.opportunities[item] for item in ids]
