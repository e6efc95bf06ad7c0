"""Control calls about accounts: their content, their settings, and the ledger."""

from portal.devtools.sandbox.accounts import ControlApi
from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.platform import LeverPlatform, generate
from portal.devtools.sandbox.lever.records import Feedback, Opportunity
from portal.devtools.sandbox.messages import HttpError, Request, Response, Route, control_route, json_response
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


def account_ledger(account: LeverAccount) -> JsonObject:
    """Return what happened in an account."""
    everyone = [*account.opportunities.values(), *account.deleted.values()]
    return {
        "opportunities": {item.id: _entry(account, item) for item in everyone},
        "calls": account.ledger.describe_calls(),
        "deliveries": [delivery.describe() for delivery in account.events.deliveries],
        "other_faults": account.ledger.other_faults(item.id for item in everyone),
    }


def _entry(account: LeverAccount, item: Opportunity) -> JsonObject:
    live = [form for form in item.feedback.values() if form.deleted_at is None]
    contact = account.contact_of(item)
    entry: JsonObject = {
        "emails": contact.emails,
        "stage": item.stage,
        "tags": list(item.tags),
        "links": list(contact.links),
        "notes": len(item.notes),
        "note_texts": [comment["value"] for note in item.notes.values() for comment in note.comments],
        "feedback": [_feedback(form) for form in live],
        "feedback_deleted": len(item.feedback) - len(live),
        "files": [file.name for file in item.files.values()],
        "posts": sum(item.writes.values()),
        "writes": dict(item.writes),
    }
    return entry | account.ledger.faults_of(item.id)


def _feedback(form: Feedback) -> JsonObject:
    return {
        "id": form.id,
        "text": form.text,
        "user": form.user,
        "fields": {field["text"]: field["value"] for field in form.fields},
    }


class AccountControl(LeverControl):
    """Sets accounts up before a run, and reports on them afterwards."""

    def routes(self) -> list[Route]:
        """Return the calls' routes."""
        return [
            control_route("POST", "accounts", self.put_account),
            control_route("GET", "accounts/<account>", self.show_account),
            control_route("GET", "ledger", self.ledger),
            self.route("settings", self.change_settings),
        ]

    def put_account(self, request: Request) -> Response:
        """Add or replace an account; with `keep`, only generate candidates in the one there is."""
        body = request.json_object()
        slug = self.new_slug(body)
        document = {key: value for key, value in body.items() if key not in ("account", "keep", "generate")}
        existing = self._platform.accounts.get(slug)
        account = existing if body.get("keep") and existing else self._platform.add_account(slug, document)
        generated: list[str] = []
        if "generate" in body:
            with account.lock:
                generated = generate(account, body["generate"])
        return json_response({"generated": generated})

    def show_account(self, request: Request) -> Response:
        """Answer which stages an account has."""
        account = self.account(request.path_params)
        with account.lock:
            stages = [{"id": stage.id, "text": stage.text} for stage in account.stages.values()]
        return json_response({"stages": stages})

    def ledger(self, request: Request) -> Response:
        """Answer what happened, per account."""
        return self.ledgers(request, account_ledger)
