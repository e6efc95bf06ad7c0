"""The control API: tests, the demo and fault runs set accounts up, act as people, and read the ledger."""

from urllib.parse import parse_qs, urlsplit

from portal.devtools.sandbox.accounts import ControlApi
from portal.devtools.sandbox.lever import candidacies
from portal.devtools.sandbox.lever.account import EVENT_LABELS, LeverAccount, Webhook, signed_body
from portal.devtools.sandbox.lever.grants import SCOPES
from portal.devtools.sandbox.lever.oauth import Consent, ConsentRequest
from portal.devtools.sandbox.lever.platform import LeverPlatform, generate
from portal.devtools.sandbox.lever.records import Feedback, Opportunity
from portal.devtools.sandbox.messages import HttpError, Request, Response, Route, control_route, json_response
from portal.devtools.sandbox.values import JsonObject, new_id, pick, text_list

STAGE_CHANGE = "candidateStageChange"


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


class LeverControl(ControlApi[LeverAccount]):
    """The pretend Lever's control calls: about accounts, and those by which recruiters and Super Admins act."""

    def __init__(self, platform: LeverPlatform) -> None:
        super().__init__(platform.accounts, platform.sender)
        self._platform = platform

    def routes(self) -> list[Route]:
        """Return the calls' routes."""
        return [
            *super().routes(),
            control_route("POST", "accounts", self.put_account),
            control_route("GET", "accounts/<account>", self.show_account),
            self.route("move", self.move),
            self.route("archive", self.archive),
            self.route("delete", self.delete),
            self.route("anonymize", self.anonymize),
            self.route("tags", self.change_tags),
            self.route("people", self.change_people),
            self.route("consent", self.consent),
            self.route("revoke", self.revoke),
            self.route("key", self.make_key),
            self.route("webhook", self.make_webhook),
            self.route("events", self.switch_on),
            control_route("POST", "verify", self.verify),
            self.route("webhooks/deliver", self.deliver),
        ]

    def opportunities(self, account: LeverAccount, body: JsonObject) -> list[Opportunity]:
        """Return the opportunities a body names, one or several; raises a 400 HttpError."""
        ids = [body["opportunity"]] if "opportunity" in body else body.get("opportunities", [])
        missing = [item for item in ids if item not in account.opportunities]
        if not ids or missing:
            raise HttpError(400, f"unknown opportunities: {missing}" if ids else "name some opportunities")
        return [account.opportunities[item] for item in ids]

    def put_account(self, request: Request) -> Response:
        """Add or replace an account; with `keep`, only generate candidates in the one there is."""
        body = request.json_object()
        slug = pick(body, "account", str, "")
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

    def describe(self, account: LeverAccount) -> JsonObject:
        """Return what happened in an account."""
        everyone = [*account.opportunities.values(), *account.deleted.values()]
        return {
            "opportunities": {item.id: _entry(account, item) for item in everyone},
            "calls": account.ledger.describe_calls(),
            "deliveries": [delivery.describe() for delivery in account.events.deliveries],
            "other_faults": account.ledger.other_faults(item.id for item in everyone),
        }

    def move(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Move opportunities to a stage, as the Stage button does."""
        stage = account.find_stage(pick(body, "stage", str, ""))
        if stage is None:
            raise HttpError(400, "no such stage")
        moved = [
            item.id
            for item in self.opportunities(account, body)
            if candidacies.change_stage(account, item, stage.id, account.actor())
        ]
        return {"stage": stage.id, "moved": moved}

    def archive(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Archive opportunities for a reason by id or text; null un-archives."""
        named = body.get("reason")
        reasons = [r.id for r in account.archive_reasons.values() if named in (r.id, r.text)]
        if named is not None and not reasons:
            raise HttpError(400, "no such archive reason")
        items = self.opportunities(account, body)
        for item in items:
            candidacies.set_archived(account, item, reasons[0] if reasons else None)
        return {"archived": [item.id for item in items]}

    def delete(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Delete opportunities."""
        items = self.opportunities(account, body)
        for item in items:
            candidacies.delete(account, item, account.actor())
        return {"deleted": [item.id for item in items]}

    def anonymize(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Anonymize the contacts of opportunities."""
        items = self.opportunities(account, body)
        for item in items:
            candidacies.anonymize(account, account.contact_of(item))
        return {"anonymized": [item.id for item in items]}

    def change_people(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Set by user id who owns, follows and interviews opportunities, and who hires for their posting."""
        items = self.opportunities(account, body)
        for item in items:
            item.owner = pick(body, "owner", str, item.owner)
            if "followers" in body:
                item.followers = text_list(body["followers"])
            if "interviewers" in body:
                item.interviewers = text_list(body["interviewers"])
            posting = account.postings.get(item.posting_id or "")
            if posting is not None:
                posting.hiring_manager = pick(body, "hiring_manager", str, posting.hiring_manager)
            item.mark_updated()
        return {"changed": [item.id for item in items]}

    def change_tags(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Add and remove tags on opportunities or on a posting."""
        add, remove = text_list(body.get("add")), text_list(body.get("remove"))
        posting = account.find_posting(pick(body, "posting", str, ""))
        if posting is not None:
            for tag in add:
                candidacies.tag_posting(account, posting, tag)
            for tag in remove:
                candidacies.untag_posting(account, posting, tag)
            return {"posting": posting.id, "tags": posting.tags}
        items = self.opportunities(account, body)
        for item in items:
            candidacies.add_tags(item, add)
            candidacies.remove_tags(item, remove)
        return {"tags": {item.id: item.tags for item in items}}

    def consent(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Answer the consent page at an authorize URL; the answer says where that leads."""
        query = parse_qs(urlsplit(pick(body, "url", str, "")).query)
        asked = ConsentRequest.read(lambda name: query.get(name, [""])[0])
        decision, role = pick(body, "decision", str, "accept"), pick(body, "role", str, "super admin")
        return {"redirect": Consent(self._platform).answer(asked, decision, account, role)}

    def revoke(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Revoke the app's access to an account, and its API keys."""
        grants = self._platform.grants
        return {"revoked": grants.revoke(account.slug) + grants.revoke_keys(account.slug)}

    def make_key(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Make an API key that allows everything but the scopes in `without`."""
        scopes = frozenset(SCOPES) - frozenset(text_list(body.get("without")))
        made = self._platform.grants.make_key(account.slug, pick(body, "name", str, "Key"), scopes)
        return {"id": made.id, "api_key": made.key}

    def make_webhook(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Make a webhook by hand and switch its event on."""
        event, url = pick(body, "event", str, ""), pick(body, "url", str, "")
        if event not in EVENT_LABELS or not url:
            raise HttpError(400, "a known event and a url are needed")
        webhook = Webhook(new_id(), event, url)
        account.events.webhooks[webhook.id] = webhook
        account.events.enabled.add(event)
        return {"id": webhook.id, "signature_token": webhook.signature_token}

    def switch_on(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Switch on every event that the account has a webhook for."""
        account.events.enabled.update(webhook.event for webhook in account.events.webhooks.values())
        return {}

    def verify(self, request: Request) -> Response:
        """Press Verify Connection and answer what the receiver answered."""
        body = request.json_object()
        account = self.account(body)
        webhook = account.events.webhooks.get(pick(body, "webhook", str, ""))
        if webhook is None:
            raise HttpError(404, "no such webhook")
        attempt = account.events.verify(webhook)
        return json_response({"ok": attempt.succeeded, "status": attempt.status, "error": attempt.error})

    def deliver(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Send stage changes of opportunities again: copies, shuffled, without id, with an old time."""
        copies = 1 + max(0, pick(body, "duplicates", int, 0))
        without_id, stale_ms = bool(body.get("without_id")), pick(body, "stale_ms", int, 0)
        webhooks = [hook for hook in account.events.webhooks.values() if hook.event == STAGE_CHANGE]
        opportunities = self.opportunities(account, body)
        if body.get("shuffle"):
            opportunities.reverse()
        sent = []
        for item in opportunities:
            before = item.stage_changes[-2]["toStageId"] if len(item.stage_changes) > 1 else None
            data = candidacies.event_data(item) | {"fromStageId": before, "toStageId": item.stage}
            for webhook in webhooks:
                raw = signed_body(webhook, STAGE_CHANGE, data, without_id=without_id, stale_ms=stale_ms)
                sent += [
                    account.events.dispatch(webhook, STAGE_CHANGE, raw, subject=item.id).id
                    for _ in range(copies)
                ]
        return {"deliveries": sent}
