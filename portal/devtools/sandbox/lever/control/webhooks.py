"""Control calls about webhooks: they are made, verified, and sent in ways a network can cause."""

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response, json_response
from portal.devtools.sandbox.http.routing import Route, control_route
from portal.devtools.sandbox.ids import new_id
from portal.devtools.sandbox.json_values import JsonObject, pick
from portal.devtools.sandbox.lever.behaviour import candidacies
from portal.devtools.sandbox.lever.control.base import LeverControl
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.events import signed_body
from portal.devtools.sandbox.lever.state.opportunity import Opportunity
from portal.devtools.sandbox.lever.state.webhook import EVENTS, Webhook

STAGE_CHANGE = "candidateStageChange"


class WebhookControl(LeverControl):
    """Acts as a Super Admin would under Webhooks, and sends deliveries at will."""

    def routes(self) -> list[Route]:
        """Return the calls' routes."""
        return [
            control_route("POST", "webhook", self.make_webhook),
            control_route("POST", "verify", self.verify),
            control_route("POST", "webhooks/deliver", self.deliver),
            control_route("POST", "webhooks/rerun", self.rerun),
        ]

    def make_webhook(self, request: Request) -> Response:
        """Make a webhook by hand and switch its event on."""
        body = request.json_object()
        account = self.account(body)
        event, url = pick(body, "event", str, STAGE_CHANGE), pick(body, "url", str, "")
        if event not in EVENTS or not url:
            raise HttpError(400, "a known event and a url are needed")
        webhook = Webhook(new_id(), event, url)
        with account.lock:
            account.events.webhooks[webhook.id] = webhook
            account.events.enabled.add(event)
        return json_response({"id": webhook.id, "signature_token": webhook.signature_token})

    def verify(self, request: Request) -> Response:
        """Press Verify Connection and answer what the receiver answered."""
        body = request.json_object()
        account = self.account(body)
        webhook = account.events.webhooks.get(pick(body, "webhook", str, ""))
        if webhook is None:
            raise HttpError(404, "no such webhook")
        attempt = account.events.verify(webhook)
        return json_response({"ok": attempt.succeeded, "status": attempt.status, "error": attempt.error})

    def deliver(self, request: Request) -> Response:
        """Send webhooks about opportunities at will: copies, shuffled, without id, with an old time."""
        body = request.json_object()
        account = self.account(body)
        event = pick(body, "event", str, STAGE_CHANGE)
        copies = 1 + max(0, pick(body, "duplicates", int, 0))
        without_id, stale_ms = bool(body.get("without_id")), pick(body, "stale_ms", int, 0)
        with account.lock:
            webhooks = [
                webhook
                for webhook in account.events.webhooks.values()
                if webhook.event == event and body.get("webhook") in (None, webhook.id)
            ]
            opportunities = self.opportunities(account, body)
            if body.get("shuffle"):
                opportunities.reverse()
            sent = []
            for opportunity in opportunities:
                data = self._event_data(account, opportunity, event, body)
                for webhook in webhooks:
                    raw = signed_body(webhook, event, data, without_id=without_id, stale_ms=stale_ms)
                    sent += [
                        account.events.dispatch(webhook, event, raw, subject=opportunity.id).id
                        for _ in range(copies)
                    ]
        return json_response({"deliveries": sent})

    def rerun(self, request: Request) -> Response:
        """Send an earlier delivery again."""
        body = request.json_object()
        account = self.account(body)
        delivery = account.events.find(pick(body, "delivery", str, ""))
        if delivery is None:
            raise HttpError(404, "no such delivery")
        return json_response({"delivery": account.events.rerun(delivery).id})

    def _event_data(
        self, account: LeverAccount, opportunity: Opportunity, event: str, body: JsonObject
    ) -> JsonObject:
        data = candidacies.event_data(opportunity)
        if event == STAGE_CHANGE:
            earlier = [change["toStageId"] for change in opportunity.stage_changes[:-1]]
            start = account.find_stage(pick(body, "from", str, ""))
            end = account.find_stage(pick(body, "to", str, ""))
            data["fromStageId"] = start.id if start else (earlier[-1] if earlier else None)
            data["toStageId"] = end.id if end else opportunity.stage
        data.update(pick(body, "data", dict, {}))
        return data
