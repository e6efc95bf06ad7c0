"""The postings, and the settings a Super Admin sees: stages, users, authorized apps, webhooks, deliveries."""

from urllib.parse import urlencode

from portal.devtools.sandbox.accounts import PAGE_SIZE, back
from portal.devtools.sandbox.lever import candidacies
from portal.devtools.sandbox.lever.account import EVENT_LABELS, EVENTS, LeverAccount, Webhook
from portal.devtools.sandbox.lever.grants import SCOPES
from portal.devtools.sandbox.lever.pages.base import LeverPages, delivery_row, opportunity_row
from portal.devtools.sandbox.lever.records import Posting, Stage
from portal.devtools.sandbox.messages import HttpError, Request, Response, Route, redirect
from portal.devtools.sandbox.values import new_id, new_token, now_ms, readable
from portal.devtools.sandbox.webhook_sender import Attempt

#: What an API key can be given, by the boxes of its page.
KEY_SCOPES = sorted(scope for scope in SCOPES if scope.count(":") == 2)


class PostingPages(LeverPages):
    """The pages where a tag ties an assessment to a job."""

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        return [
            self.route("GET", "/postings", self.postings),
            self.route("GET", "/postings/<posting>", self.posting),
            self.route("POST", "/postings/<posting>/tags", self.change_tags),
        ]

    def postings(self, request: Request, account: LeverAccount) -> Response:
        """Show the postings."""
        return self.show_table(
            request,
            account,
            "postings.html",
            "postings",
            title="Postings",
            headings=("Posting", "Team", "Tags", "Candidates"),
            rows=[
                {"posting": posting, "candidates": len(account.by_posting[posting.id])}
                for posting in account.postings.values()
            ],
            if_empty="No postings.",
        )

    def posting(self, request: Request, account: LeverAccount) -> Response:
        """Show one posting with its tags."""
        posting = _posting(account, request)
        opportunities = list(account.by_posting[posting.id].values())
        return self.show(
            request,
            account,
            "posting.html",
            "postings",
            posting=posting,
            rows=[opportunity_row(account, item) for item in opportunities[:PAGE_SIZE]],
            total=len(opportunities),
            owner=account.users.get(posting.owner or ""),
        )

    def change_tags(self, request: Request, account: LeverAccount) -> Response:
        """Add or remove a tag on a posting."""
        add, remove = request.field("add"), request.field("remove")
        posting = _posting(account, request)
        if add:
            candidacies.tag_posting(account, posting, add)
        if remove:
            candidacies.untag_posting(account, posting, remove)
        done = f"Added the tag {add}." if add else f"Removed the tag {remove}." if remove else ""
        return back(f"/{account.slug}/postings/{posting.id}", done=done)


def _posting(account: LeverAccount, request: Request) -> Posting:
    posting = account.postings.get(request.path_params["posting"])
    if posting is None:
        raise HttpError(404, "There is no such posting.")
    return posting


DELIVERIES_SHOWN = 1000
BASE = "settings_base.html"


class SettingsPages(LeverPages):
    """The pages where a Super Admin sets the account up."""

    def routes(self) -> list[Route]:
        """Return the pages' routes."""
        settings = "/settings"
        return [
            self.route("GET", settings, self.stages),
            self.route("GET", f"{settings}/stages", self.stages),
            self.route("POST", f"{settings}/stages", self.change_stages),
            self.route("GET", f"{settings}/users", self.users),
            self.route("POST", f"{settings}/users", self.change_user),
            self.route("GET", f"{settings}/apps", self.apps),
            self.route("POST", f"{settings}/apps", self.revoke),
            self.route("GET", f"{settings}/keys", self.keys),
            self.route("POST", f"{settings}/keys", self.change_key),
            self.route("GET", f"{settings}/deliveries", self.deliveries),
            self.route("POST", f"{settings}/deliveries", self.rerun),
        ]

    def stages(self, request: Request, account: LeverAccount) -> Response:
        """Show the pipeline stages with their ids, and the archive reasons."""
        return self.show_table(
            request,
            account,
            "stages.html",
            "stages",
            base=BASE,
            title="Pipeline stages",
            headings=("Stage", "Candidates", "Stage ID", "Rename"),
            rows=[
                {"stage": stage, "candidates": len(account.by_stage[stage.id])}
                for stage in account.stages.values()
            ],
            reasons=list(account.archive_reasons.values()),
        )

    def change_stages(self, request: Request, account: LeverAccount) -> Response:
        """Add a stage or rename one."""
        text, stage_id = request.field("text"), request.field("stage")
        here = f"/{account.slug}/settings/stages"
        if not text:
            return back(here, problem="A stage needs a name.")
        if stage_id:
            if stage_id not in account.stages:
                raise HttpError(404, "There is no such stage.")
            account.stages[stage_id].text = text
            return back(here, done=f"Renamed the stage to {text}.")
        stage = Stage(new_id(), text)
        account.stages[stage.id] = stage
        return back(here, done=f"Added the stage {text}.")

    def users(self, request: Request, account: LeverAccount) -> Response:
        """Show the users with their roles."""
        return self.show_table(
            request,
            account,
            "users.html",
            "users",
            base=BASE,
            title="Users",
            headings=("Name", "E-mail", "Access role", "Status", "User ID", "Change"),
            rows=list(account.users.values()),
        )

    def change_user(self, request: Request, account: LeverAccount) -> Response:
        """Deactivate a user, or activate them again."""
        is_active = request.field("act") == "activate"
        user = account.set_active(request.field("user"), is_active)
        done = f"{'Activated' if is_active else 'Deactivated'} {user.name}."
        return back(f"/{account.slug}/settings/users", done=done)

    def apps(self, request: Request, account: LeverAccount) -> Response:
        """Show which apps may use this account."""
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
        return self.show(request, account, "apps.html", "apps", rows=rows, client=grants.client)

    def keys(self, request: Request, account: LeverAccount) -> Response:
        """Show the API keys, and a new one this once."""
        keys = self._platform.grants.keys_of(account.slug)
        rows = [{"id": key.id, "name": key.name, "since": readable(key.created_at)} for key in keys]
        return self.show(request, account, "keys.html", "keys", rows=rows, scopes=KEY_SCOPES, made=None)

    def change_key(self, request: Request, account: LeverAccount) -> Response:
        """Make an API key of the boxes that are ticked, and show it this once; or revoke one."""
        grants = self._platform.grants
        if key_id := request.field("revoke"):
            grants.revoke_keys(account.slug, key_id)
            return back(f"/{account.slug}/settings/keys", done="The key was revoked.")
        scopes = frozenset(request.form.getlist("scope")) & SCOPES
        made = grants.make_key(account.slug, request.field("name") or "Key", scopes)
        return self.show(request, account, "keys.html", "keys", rows=[], scopes=[], made=made)

    def revoke(self, request: Request, account: LeverAccount) -> Response:
        """Revoke the app's access."""
        self._platform.grants.revoke(account.slug)
        return back(f"/{account.slug}/settings/apps", done="Access revoked.")

    def deliveries(self, request: Request, account: LeverAccount) -> Response:
        """Show the latest webhooks sent and how they were answered."""
        latest = account.events.deliveries[: -DELIVERIES_SHOWN - 1 : -1]
        return self.show_table(
            request,
            account,
            "deliveries.html",
            "deliveries",
            base=BASE,
            title="Delivery history",
            headings=("Sent", "Event", "Candidate", "Attempts", "State", "Again"),
            rows=[delivery_row(account, delivery) for delivery in latest],
            if_empty="Nothing was sent yet.",
            total=len(account.events.deliveries),
        )

    def rerun(self, request: Request, account: LeverAccount) -> Response:
        """Send an earlier delivery again."""
        delivery = account.events.find(request.field("delivery"))
        if delivery is None:
            raise HttpError(404, "There is no such delivery.")
        account.events.rerun(delivery)
        return back(f"/{account.slug}/settings/deliveries", done="Sent again.")


URL_SCHEMES = ("http://", "https://")
BAD_URL = "The URL has to start with https:// (or http:// in this sandbox)."


class _Rejected(Exception):
    """A change that isn't made; its text is the reason."""


class WebhookPages(LeverPages):
    """The page where a Super Admin switches events on and makes webhooks."""

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
        verified = request.args.get("webhook", "")
        result = {"ok": request.args.get("ok") == "yes", "text": request.args.get("result", "")}
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
