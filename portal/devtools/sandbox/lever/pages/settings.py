"""What a Super Admin sets up for an integration: webhooks, the app's access, and API keys."""

from portal.devtools.sandbox.accounts import back
from portal.devtools.sandbox.lever.account import EVENT_LABELS, LeverAccount, Webhook
from portal.devtools.sandbox.lever.grants import SCOPES
from portal.devtools.sandbox.lever.pages.base import LeverPages
from portal.devtools.sandbox.messages import HttpError, Request, Response, Route, redirect
from portal.devtools.sandbox.values import new_id, readable
from portal.devtools.sandbox.webhook_sender import Attempt

#: What an API key can be given, by the boxes of its page.
KEY_SCOPES = sorted(scope for scope in SCOPES if scope.count(":") == 2)
URL_SCHEMES = ("http://", "https://")


class AccessPages(LeverPages):
    """The page of who may call the API: the app by its grants, and others by keys."""

    def routes(self) -> list[Route]:
        """Return the page's routes."""
        path = "/settings/apps"
        return [self.route("GET", path, self.access), self.route("POST", path, self.change)]

    def access(self, request: Request, account: LeverAccount) -> Response:
        """Show the grants of the app, and the API keys without their values."""
        grants = self._platform.grants
        rows = [
            {
                "scopes": sorted(grant.scopes),
                "since": readable(grant.created_at),
                "used": readable(grant.used_at),
                "user": account.user_name(grant.user),
            }
            for grant in grants.of_account(account.slug)
        ]
        keys = [{"key": key, "since": readable(key.created_at)} for key in grants.keys_of(account.slug)]
        return self.show(
            request,
            account,
            "apps.html",
            "apps",
            rows=rows,
            client=grants.client,
            keys=keys,
            scopes=KEY_SCOPES,
        )

    def change(self, request: Request, account: LeverAccount) -> Response:
        """Revoke the app's access or a key, or make a key of the boxes that are ticked and show it this once."""
        grants, action = self._platform.grants, request.field("action")
        here = f"/{account.slug}/settings/apps"
        if action == "revoke":
            grants.revoke(account.slug)
            return back(here, done="Access revoked.")
        if action == "revoke-key":
            grants.revoke_keys(account.slug, request.field("key"))
            return back(here, done="The key was revoked.")
        scopes = frozenset(request.form.getlist("scope")) & SCOPES
        made = grants.make_key(account.slug, request.field("name") or "Key", scopes)
        return self.show(request, account, "new_key.html", "apps", made=made)


class WebhookPages(LeverPages):
    """The page where events are switched on and webhooks are made."""

    def routes(self) -> list[Route]:
        """Return the page's routes."""
        path = "/settings/webhooks"
        return [
            Route("GET", "/settings/integrations", self.of_signed_in),
            self.route("GET", path, self.webhooks),
            # it isn't locked while the receiver of a test request answers
            Route("POST", f"/<account:account>{path}", self.change),
        ]

    def of_signed_in(self, request: Request) -> Response:
        """Lead to the page of the account that the browser is signed in to, by Lever's own address of it."""
        return redirect(f"/{self.signed_in(request).slug}/settings/webhooks")

    def webhooks(self, request: Request, account: LeverAccount) -> Response:
        """Show every event with its toggle and its webhooks."""
        events = account.events
        groups = [
            {
                "event": event,
                "label": label,
                "on": event in events.enabled,
                "webhooks": [hook for hook in events.webhooks.values() if hook.event == event],
            }
            for event, label in EVENT_LABELS.items()
        ]
        return self.show(request, account, "webhooks.html", "webhooks", groups=groups)

    def change(self, request: Request) -> Response:
        """Perform the action of the button that was pressed: on, off, add, delete or verify."""
        account = self.account(request)
        here = f"/{account.slug}/settings/webhooks"
        if request.field("action") == "verify":
            attempt = account.events.verify(_webhook(account, request))
            said = _verification_result(attempt)
            return back(here, done=said) if attempt.succeeded else back(here, problem=said)
        with account.lock:
            return back(here, **_change(account, request))


def _change(account: LeverAccount, request: Request) -> dict[str, str]:
    """Return what was done, or what the problem is."""
    action, event, events = request.field("action"), request.field("event"), account.events
    if action == "delete":
        webhook = _webhook(account, request)
        if webhook.by_api:
            return {"problem": "This webhook was made through the API and can only be deleted there."}
        del events.webhooks[webhook.id]
        return {"done": "The webhook was deleted."}
    if event not in EVENT_LABELS:
        raise HttpError(404, "There is no such event.")
    label = EVENT_LABELS[event]
    if action == "add":
        url = request.field("url")
        if not url.startswith(URL_SCHEMES):
            return {"problem": "The URL has to start with https:// (or http:// in this sandbox)."}
        made = Webhook(new_id(), event, url)
        events.webhooks[made.id] = made
        return {"done": f"Added a webhook for {label}."}
    events.enabled.discard(event)
    if action == "on":
        events.enabled.add(event)
    return {"done": f"{label} is {action}."}


def _webhook(account: LeverAccount, request: Request) -> Webhook:
    webhook = account.events.webhooks.get(request.field("webhook"))
    if webhook is None:
        raise HttpError(404, "There is no such webhook.")
    return webhook


def _verification_result(attempt: Attempt) -> str:
    if attempt.succeeded:
        return f"Success: the receiver answered {attempt.status}."
    if attempt.status is not None:
        return f"Verification failed: the receiver answered {attempt.status}."
    return f"Verification failed: no answer ({attempt.error})."
