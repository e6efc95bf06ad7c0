"""The webhook settings: each event with its toggle and its webhooks."""

from urllib.parse import urlencode

from portal.devtools.sandbox.account_pages import back
from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response
from portal.devtools.sandbox.http.routing import Route
from portal.devtools.sandbox.ids import new_id, new_token
from portal.devtools.sandbox.lever.pages.base import LeverPages
from portal.devtools.sandbox.lever.state.account import LeverAccount
from portal.devtools.sandbox.lever.state.webhook import EVENT_LABELS, EVENTS, Webhook
from portal.devtools.sandbox.times import now_ms
from portal.devtools.sandbox.webhook_sender import Attempt

URL_SCHEMES = ("http://", "https://")
BAD_URL = "The URL has to start with https:// (or http:// in this sandbox)."


class _Rejected(Exception):
    """A change that isn't made; its text is the reason."""


class WebhookPages(LeverPages):
    """The page where a Super Admin switches events on and makes webhooks."""

    def routes(self) -> list[Route]:
        """Return the page's routes."""
        path = "/<account:account>/settings/webhooks"
        return [Route("GET", path, self.webhooks), Route("POST", path, self.change)]

    def webhooks(self, request: Request) -> Response:
        """Show every event with its toggle and its webhooks."""
        account = self.account(request)
        verified = request.args.get("webhook", "")
        result = {"ok": request.args.get("ok") == "yes", "text": request.args.get("result", "")}
        with account.lock:
            groups = [
                {
                    "event": event,
                    "label": EVENT_LABELS[event],
                    "on": event in account.events.enabled,
                    "webhooks": [
                        {"hook": hook, "result": result if hook.id == verified else None}
                        for hook in account.events.webhooks.values()
                        if hook.event == event
                    ],
                }
                for event in EVENTS
            ]
            return self.show(request, account, "webhooks.html", "webhooks", groups=groups)

    def change(self, request: Request) -> Response:
        """Perform the action of the button that was pressed: on, off, add, save, regenerate, delete, verify."""
        account = self.account(request)
        here = f"/{account.slug}/settings/webhooks"
        action = request.field("action")
        if action == "verify":
            return self._verify(account, request, here)
        try:
            with account.lock:
                if action in ("on", "off", "add"):
                    done = _change_event(account, action, request)
                else:
                    done = _change_webhook(account, action, request)
        except _Rejected as rejected:
            return back(here, problem=str(rejected))
        return back(here, done=done)

    def _verify(self, account: LeverAccount, request: Request, here: str) -> Response:
        webhook = _webhook(account, request)
        attempt = account.events.verify(webhook)
        ok = "yes" if attempt.succeeded else "no"
        query = urlencode({"webhook": webhook.id, "ok": ok, "result": _verification_result(attempt)})
        return back(f"{here}?{query}#webhook-{webhook.id}")


def _change_event(account: LeverAccount, action: str, request: Request) -> str:
    """Switch an event on or off, or add a webhook for it; return what was done."""
    event = request.field("event")
    if event not in EVENTS:
        raise HttpError(404, "There is no such event.")
    label = EVENT_LABELS[event]
    if action == "add":
        webhook = Webhook(new_id(), event, _url(request))
        account.events.webhooks[webhook.id] = webhook
        return f"Added a webhook for {label}."
    account.events.enabled.discard(event)
    if action == "on":
        account.events.enabled.add(event)
    return f"{label} is {action}."


def _change_webhook(account: LeverAccount, action: str, request: Request) -> str:
    """Save a webhook's URL, renew its signature token, or delete it; return what was done."""
    webhook = _webhook(account, request)
    if webhook.by_api:
        raise _Rejected("This webhook was made through the API and can only be changed there.")
    webhook.updated_at = now_ms()
    if action == "regenerate":
        webhook.signature_token = new_token()
        return "The signature token was regenerated."
    if action == "delete":
        del account.events.webhooks[webhook.id]
        return "The webhook was deleted."
    webhook.url = _url(request)
    return "The URL was saved."


def _webhook(account: LeverAccount, request: Request) -> Webhook:
    webhook = account.events.webhooks.get(request.field("webhook"))
    if webhook is None:
        raise HttpError(404, "There is no such webhook.")
    return webhook


def _url(request: Request) -> str:
    url = request.field("url")
    if not url.startswith(URL_SCHEMES):
        raise _Rejected(BAD_URL)
    return url


def _verification_result(attempt: Attempt) -> str:
    if attempt.succeeded:
        return f"Success: the receiver answered {attempt.status}."
    if attempt.status is not None:
        return f"Verification failed: the receiver answered {attempt.status}."
    return f"Verification failed: no answer ({attempt.error})."
