"""The control door: webhooks are made, verified, and sent the way they shouldn't be."""

from typing import TYPE_CHECKING

from portal.devtools.sandbox.http import Refusal, Request, Response, json_response
from portal.devtools.sandbox.ids import Json, new_id, pick
from portal.devtools.sandbox.lever import moves
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.control_common import Door
from portal.devtools.sandbox.lever.events import envelope
from portal.devtools.sandbox.lever.state import EVENTS, Opportunity, Webhook

if TYPE_CHECKING:
    from portal.devtools.sandbox.lever.server import LeverSandbox


class WebhookDoor(Door):
    """What a Super Admin does under Webhooks, and what a network does to them."""

    def __init__(self, server: "LeverSandbox") -> None:
        super().__init__(server)
        self.add(
            (
                ("POST", "webhook", self.make_webhook),
                ("POST", "toggle", self.toggle),
                ("POST", "verify", self.verify),
                ("POST", "webhooks/deliver", self.deliver),
                ("POST", "webhooks/rerun", self.rerun),
            )
        )

    def make_webhook(self, request: Request) -> Response:
        """Make a webhook by hand and switch its event on."""
        body = request.json_object()
        account = self.account(body)
        event, url = pick(body, "event", str, "candidateStageChange"), pick(body, "url", str, "")
        if event not in EVENTS or not url:
            raise Refusal(400, "a known event and a url are needed")
        made = Webhook(new_id(), event, url)
        with account.lock:
            account.events.webhooks[made.id] = made
            account.events.enabled.add(event)
        return json_response({"id": made.id, "signature_token": made.signature_token})

    def toggle(self, request: Request) -> Response:
        """Switch an event on or off."""
        body = request.json_object()
        account = self.account(body)
        event = pick(body, "event", str, "candidateStageChange")
        if event not in EVENTS:
            raise Refusal(400, "no such event")
        with account.lock:
            account.events.enabled.discard(event)
            if body.get("on", True):
                account.events.enabled.add(event)
            return json_response({"enabled": sorted(account.events.enabled)})

    def verify(self, request: Request) -> Response:
        """Press Verify Connection and answer what the receiver answered."""
        body = request.json_object()
        account = self.account(body)
        attempt = account.events.verify(self._webhook(account, body))
        found = {"ok": attempt.succeeded, "status": attempt.status, "error": attempt.error}
        return json_response(found)

    def deliver(self, request: Request) -> Response:
        """Send webhooks about opportunities at will: copies, shuffled, without id, with an old time."""
        body = request.json_object()
        account = self.account(body)
        event = pick(body, "event", str, "candidateStageChange")
        copies = 1 + max(0, pick(body, "duplicates", int, 0))
        sent = []
        with account.lock:
            hooks = [h for h in account.events.webhooks.values() if h.event == event]
            hooks = [h for h in hooks if body.get("webhook") in (None, h.id)]
            items = self.opportunities(account, body)
            if body.get("shuffle"):
                items.reverse()
            for item in items:
                extra = self._stage_data(account, item, body) if event == "candidateStageChange" else {}
                data = moves.event_data(item) | extra | pick(body, "data", dict, {})
                for hook in hooks:
                    raw = envelope(
                        hook,
                        event,
                        data,
                        without_id=bool(body.get("without_id")),
                        stale_ms=pick(body, "stale_ms", int, 0),
                    )
                    sent += [
                        account.events.dispatch(hook, event, raw, subject=item.id).id for _ in range(copies)
                    ]
        return json_response({"deliveries": sent})

    def rerun(self, request: Request) -> Response:
        """Send an earlier delivery again."""
        body = request.json_object()
        account = self.account(body)
        delivery = account.events.find(pick(body, "delivery", str, ""))
        if delivery is None:
            raise Refusal(404, "no such delivery")
        return json_response({"delivery": account.events.rerun(delivery).id})

    def _webhook(self, account: LeverAccount, body: Json) -> Webhook:
        webhook = account.events.webhooks.get(pick(body, "webhook", str, ""))
        if webhook is None:
            raise Refusal(404, "no such webhook")
        return webhook

    def _stage_data(self, account: LeverAccount, item: Opportunity, body: Json) -> Json:
        earlier = [change["toStageId"] for change in item.stage_changes[:-1]]
        start = account.find_stage(pick(body, "from", str, ""))
        end = account.find_stage(pick(body, "to", str, ""))
        return {
            "fromStageId": start.id if start else (earlier[-1] if earlier else None),
            "toStageId": end.id if end else item.stage,
        }
