"""Settings as a Super Admin sees them: stages, users, webhooks, authorized apps, delivery history."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from portal.devtools.sandbox.http import Refusal, Request, Response
from portal.devtools.sandbox.ids import Json, new_id, new_token, now_ms, when
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.pages_common import Pages
from portal.devtools.sandbox.lever.state import EVENT_LABELS, EVENTS, Stage, Webhook
from portal.devtools.sandbox.webhooks import Attempt, Delivery

if TYPE_CHECKING:
    from portal.devtools.sandbox.lever.server import LeverSandbox

HISTORY = 1000


class SettingsPages(Pages):
    """Where a Super Admin sets the account up."""

    def __init__(self, server: "LeverSandbox") -> None:
        super().__init__(server)
        add = server.router.add
        add("GET", "/<account>/settings", self.stages)
        add("GET", "/<account>/settings/stages", self.stages)
        add("POST", "/<account>/settings/stages", self.change_stages)
        add("GET", "/<account>/settings/users", self.users)
        add("GET", "/<account>/settings/webhooks", self.webhooks)
        add("POST", "/<account>/settings/webhooks", self.change_webhooks)
        add("GET", "/<account>/settings/apps", self.apps)
        add("POST", "/<account>/settings/apps", self.revoke)
        add("GET", "/<account>/settings/deliveries", self.deliveries)
        add("POST", "/<account>/settings/deliveries", self.rerun)

    def stages(self, request: Request) -> Response:
        """Show the pipeline stages with their ids."""
        account = self.account(request)
        with account.lock:
            rows = [(stage, len(account.by_stage[stage.id])) for stage in account.stages.values()]
            reasons = list(account.archive_reasons.values())
            return self.show(request, "stages.html", "stages", rows=rows, reasons=reasons)

    def change_stages(self, request: Request) -> Response:
        """Add a stage or rename one."""
        account = self.account(request)
        text, renamed = request.field("text"), request.field("stage")
        here = f"/{account.slug}/settings/stages"
        if not text:
            return self.back(here, problem="A stage needs a name.")
        with account.lock:
            if renamed:
                if renamed not in account.stages:
                    raise Refusal(404, "There is no such stage.")
                account.stages[renamed].text = text
                return self.back(here, done=f"Renamed the stage to {text}.")
            stage = Stage(new_id(), text)
            account.stages[stage.id] = stage
        return self.back(here, done=f"Added the stage {text}.")

    def users(self, request: Request) -> Response:
        """Show the users with their roles."""
        account = self.account(request)
        with account.lock:
            return self.show(request, "users.html", "users", rows=list(account.users.values()))

    def webhooks(self, request: Request) -> Response:
        """Show every event with its toggle and its webhooks."""
        account = self.account(request)
        verified = request.arg("webhook")
        result = {"ok": request.arg("ok") == "yes", "text": request.arg("result")}
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
            return self.show(request, "webhooks.html", "webhooks", groups=groups)

    def change_webhooks(self, request: Request) -> Response:
        """Do what one of the page's buttons says: on, off, add, save, regenerate, delete, verify."""
        account = self.account(request)
        here = f"/{account.slug}/settings/webhooks"
        action = request.field("action")
        if action == "verify":
            return self._verify(account, request, here)
        with account.lock:
            if action in ("on", "off", "add"):
                done, problem = _change_event(account, action, request)
            else:
                done, problem = _change_webhook(account, action, request)
        return self.back(here, done=done, problem=problem)

    def apps(self, request: Request) -> Response:
        """Show which apps may use this account."""
        account = self.account(request)
        with account.lock:
            rows = [
                {
                    "scopes": sorted(grant.scopes),
                    "since": when(grant.created_at),
                    "used": when(grant.used_at),
                    "who": account.users[grant.user].name if grant.user in account.users else "",
                }
                for grant in self.server.grants.of_account(account.slug)
            ]
            client = self.server.grants.client
            return self.show(request, "apps.html", "apps", rows=rows, client=client)

    def revoke(self, request: Request) -> Response:
        """Revoke the app's access."""
        account = self.account(request)
        self.server.grants.revoke(account.slug)
        return self.back(f"/{account.slug}/settings/apps", done="Access revoked.")

    def deliveries(self, request: Request) -> Response:
        """Show what was sent lately and how it was answered."""
        account = self.account(request)
        with account.lock:
            latest = account.events.deliveries[: -HISTORY - 1 : -1]
            rows = [_delivery(account, delivery) for delivery in latest]
            total = len(account.events.deliveries)
            return self.show(request, "deliveries.html", "deliveries", rows=rows, total=total)

    def rerun(self, request: Request) -> Response:
        """Send an earlier delivery again."""
        account = self.account(request)
        delivery = account.events.find(request.field("delivery"))
        if delivery is None:
            raise Refusal(404, "There is no such delivery.")
        account.events.rerun(delivery)
        return self.back(f"/{account.slug}/settings/deliveries", done="Sent again.")

    def _verify(self, account: LeverAccount, request: Request, here: str) -> Response:
        webhook = account.events.webhooks.get(request.field("webhook"))
        if webhook is None:
            raise Refusal(404, "There is no such webhook.")
        attempt = account.events.verify(webhook)
        ok = "yes" if attempt.succeeded else "no"
        query = urlencode({"webhook": webhook.id, "ok": ok, "result": _verdict(attempt)})
        return self.back(f"{here}?{query}#webhook-{webhook.id}")


def _change_event(account: LeverAccount, action: str, request: Request) -> tuple[str, str]:
    event = request.field("event")
    if event not in EVENTS:
        raise Refusal(404, "There is no such event.")
    label = EVENT_LABELS[event]
    if action == "add":
        hook = Webhook(new_id(), event, request.field("url"))
        if not hook.url.startswith(("http://", "https://")):
            return "", "The URL has to start with https:// (or http:// in this sandbox)."
        account.events.webhooks[hook.id] = hook
        return f"Added a webhook for {label}.", ""
    account.events.enabled.discard(event)
    if action == "on":
        account.events.enabled.add(event)
    return f"{label} is {action}.", ""


def _change_webhook(account: LeverAccount, action: str, request: Request) -> tuple[str, str]:
    hook = account.events.webhooks.get(request.field("webhook"))
    if hook is None:
        raise Refusal(404, "There is no such webhook.")
    if hook.by_api:
        return "", "This webhook was made through the API and can only be changed there."
    hook.updated_at = now_ms()
    if action == "regenerate":
        hook.signature_token = new_token()
        return "The signature token was regenerated.", ""
    if action == "delete":
        del account.events.webhooks[hook.id]
        return "The webhook was deleted.", ""
    if not request.field("url").startswith(("http://", "https://")):
        return "", "The URL has to start with https:// (or http:// in this sandbox)."
    hook.url = request.field("url")
    return "The URL was saved.", ""


def _verdict(attempt: Attempt) -> str:
    if attempt.succeeded:
        return f"Success: the receiver answered {attempt.status}."
    if attempt.status is not None:
        return f"Verification failed: the receiver answered {attempt.status}."
    return f"Verification failed: no answer ({attempt.error})."


def _delivery(account: LeverAccount, delivery: Delivery) -> Json:
    item = account.opportunities.get(delivery.subject)
    return {
        "id": delivery.id,
        "label": EVENT_LABELS.get(delivery.event, delivery.event),
        "candidate": account.contact_of(item).name if item else "",
        "opportunity": delivery.subject if item else "",
        "url": delivery.url,
        "at": when(delivery.created_at),
        "state": delivery.state,
        "attempts": [
            {"at": when(a.at), "answer": a.status or a.error, "ok": a.succeeded} for a in delivery.attempts
        ],
    }
