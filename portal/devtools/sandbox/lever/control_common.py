"""What every part of the pretend Lever's control door shares."""

from typing import TYPE_CHECKING, Any

from portal.devtools.sandbox.http import Refusal
from portal.devtools.sandbox.ids import Json, pick
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.state import Opportunity
from portal.devtools.sandbox.routing import Handler

if TYPE_CHECKING:
    from portal.devtools.sandbox.lever.server import LeverSandbox


class Door:
    """A group of JSON calls under /_control/; faults never hit them."""

    def __init__(self, server: "LeverSandbox") -> None:
        self.server = server

    def add(self, routes: tuple[tuple[str, str, Handler], ...]) -> None:
        """Register calls: method, path, function."""
        for method, path, handler in routes:
            self.server.router.add(method, f"/_control/{path}", handler, as_json=True)

    def account(self, body: Json) -> LeverAccount:
        """Return the account a body names; raises a 404 Refusal."""
        account = self.server.account(pick(body, "account", str, ""))
        if account is None:
            raise Refusal(404, f"no such account: {body.get('account')}")
        return account

    def opportunities(self, account: LeverAccount, body: Json) -> list[Opportunity]:
        """Return the opportunities a body names, one or several; raises a 400 Refusal."""
        named: list[Any] = [body["opportunity"]] if "opportunity" in body else body.get("opportunities", [])
        missing = [item for item in named if item not in account.opportunities]
        if not named or missing:
            raise Refusal(400, f"unknown opportunities: {missing}" if named else "name some opportunities")
        return [account.opportunities[item] for item in named]
