"""The control API: tests, the demo and fault runs set accounts up, act as people, and read the ledger."""

from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from portal.devtools.sandbox.accounts import ControlApi
from portal.devtools.sandbox.lever import candidacies
from portal.devtools.sandbox.lever.account import EVENT_LABELS, LeverAccount, Webhook
from portal.devtools.sandbox.lever.grants import SCOPES
from portal.devtools.sandbox.lever.oauth import Consent, ConsentRequest
from portal.devtools.sandbox.lever.platform import LeverPlatform
from portal.devtools.sandbox.lever.records import Feedback, Opportunity
from portal.devtools.sandbox.lever.seed import generate
from portal.devtools.sandbox.messages import HttpError
from portal.devtools.sandbox.values import JsonObject, new_id, pick, text_list


def _entry(account: LeverAccount, item: Opportunity) -> JsonObject:
    contact = account.contact_of(item)
    return {
        "emails": contact.emails,
        "stage": item.stage,
        "tags": list(item.tags),
        "links": list(contact.links),
        "notes": len(item.notes),
        "note_texts": [comment["value"] for note in item.notes.values() for comment in note.comments],
        "feedback": [_feedback(form) for form in item.live_feedback],
        "feedback_deleted": len(item.feedback) - len(item.live_feedback),
        "files": [file.name for file in item.files.values()],
        "posts": sum(item.writes.values()),
        "writes": dict(item.writes),
        "ambiguous": account.ambiguous[item.id],
    }


def _feedback(form: Feedback) -> JsonObject:
    return {
        "id": form.id,
        "text": form.text,
        "user": form.user,
        "fields": form.values,
    }


def _event(body: JsonObject) -> str:
    """Return the event that a body names; raises a 400 HttpError."""
    event = pick(body, "event", str, "")
    if event not in EVENT_LABELS:
        raise HttpError(400, "a known event is needed")
    return event


def _webhook(account: LeverAccount, body: JsonObject) -> Webhook:
    """Return the webhook that a body names; raises a 404 HttpError."""
    webhook = account.events.webhooks.get(pick(body, "webhook", str, ""))
    if webhook is None:
        raise HttpError(404, "there is no such webhook")
    return webhook


class LeverControl(ControlApi[LeverAccount]):
    """What recruiters and Super Admins do in the pretend Lever, and what tests ask about its accounts."""

    # while the receiver of a test request answers, it may ask Lever
    unlocked: ClassVar = frozenset({"verify"})

    def __init__(self, platform: LeverPlatform) -> None:
        super().__init__(platform.accounts, platform.sender)
        self._platform = platform

    def opportunities(self, account: LeverAccount, body: JsonObject) -> list[Opportunity]:
        """Return the opportunities a body names, one or several; raises a 400 HttpError."""
        ids = text_list(body.get("opportunity", body.get("opportunities")))
        missing = [item for item in ids if item not in account.opportunities]
        if not ids or missing:
            raise HttpError(400, f"unknown opportunities: {missing}" if ids else "name some opportunities")
        return [account.opportunities[item] for item in ids]

    def do_generate(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Make `count` candidates for a posting, whose names begin with `prefix`."""
        count, prefix = pick(body, "count", int, 1), pick(body, "prefix", str, "Candidate")
        return {"generated": generate(account, count, prefix, pick(body, "posting", str, ""))}

    def describe(self, account: LeverAccount) -> JsonObject:
        """Return what happened in an account."""
        everyone = [*account.opportunities.values(), *account.deleted.values()]
        return {
            "opportunities": {item.id: _entry(account, item) for item in everyone},
            "deliveries": [delivery.describe() for delivery in account.events.deliveries],
        }

    def do_move(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Move opportunities to a stage, as the Stage button does."""
        stage = account.find_stage(pick(body, "stage", str, ""))
        if stage is None:
            raise HttpError(400, "no such stage")
        moved = [
            item.id
            for item in self.opportunities(account, body)
            if candidacies.change_stage(account, item, stage.id, account.actor())
        ]
        return {"stage": stage.id, "moved": moved, "count": len(moved), "text": stage.text}

    def do_archive(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Archive opportunities for a reason by id or text; null un-archives."""
        named = body.get("reason") or None
        reasons = [r.id for r in account.archive_reasons.values() if named in (r.id, r.text)]
        if named is not None and not reasons:
            raise HttpError(400, "no such archive reason")
        for item in self.opportunities(account, body):
            candidacies.set_archived(account, item, reasons[0] if reasons else None)
        return {}

    def do_delete(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Delete opportunities."""
        for item in self.opportunities(account, body):
            candidacies.delete(account, item, account.actor())
        return {}

    def do_anonymize(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Anonymize the contacts of opportunities."""
        for item in self.opportunities(account, body):
            candidacies.anonymize(account, account.contact_of(item))
        return {}

    def do_email(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Give the contacts of opportunities another address."""
        address = pick(body, "email", str, "")
        if "@" not in address:
            raise HttpError(400, "this is no e-mail address")
        for item in self.opportunities(account, body):
            account.contact_of(item).emails = [address]
            item.mark_updated()
        return {}

    def do_tags(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Add and remove tags on opportunities."""
        for item in self.opportunities(account, body):
            candidacies.add_tags(item, text_list(body.get("add")))
            candidacies.remove_tags(item, text_list(body.get("remove")))
        return {}

    def do_consent(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Answer the consent page at an authorize URL; the answer says where that leads."""
        query = parse_qs(urlsplit(pick(body, "url", str, "")).query)
        asked = ConsentRequest.read(lambda name: query.get(name, [""])[0])
        decision = pick(body, "decision", str, "accept")
        return {"redirect": Consent(self._platform).answer(asked, decision, account)}

    def do_revoke(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Revoke the app's access to an account and its API keys; with `what` only `app`, or the key of that id."""
        grants, what = self._platform.grants, pick(body, "what", str, "")
        apps = grants.revoke(account.slug) if what in ("", "app") else 0
        return {"revoked": apps + (grants.revoke_keys(account.slug, what) if what != "app" else 0)}

    def do_key(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Make an API key that allows the scopes in `scopes`, or everything but those in `without`."""
        scopes = frozenset(SCOPES) - frozenset(text_list(body.get("without")))
        if "scopes" in body:
            scopes &= frozenset(text_list(body["scopes"]))
        made = self._platform.grants.make_key(account.slug, pick(body, "name", str, "Key"), scopes)
        return {"id": made.id, "api_key": made.key}

    def do_event(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Switch an event on or off."""
        event = _event(body)
        account.events.enabled.discard(event)
        if body.get("state") == "on":
            account.events.enabled.add(event)
        return {"label": EVENT_LABELS[event]}

    def do_webhook(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Make a webhook by hand and switch its event on, unless `state` says `off`."""
        event, url = _event(body), pick(body, "url", str, "")
        if not url.startswith(("http://", "https://")):
            raise HttpError(400, "the URL has to start with https:// (or http:// in this sandbox)")
        webhook = Webhook(new_id(), event, url)
        account.events.webhooks[webhook.id] = webhook
        if body.get("state") != "off":
            account.events.enabled.add(event)
        return {"id": webhook.id, "signature_token": webhook.signature_token, "label": EVENT_LABELS[event]}

    def do_delete_webhook(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Delete a webhook that was made by hand."""
        webhook = _webhook(account, body)
        if webhook.by_api:
            raise HttpError(403, "this webhook was made through the API and can only be deleted there")
        del account.events.webhooks[webhook.id]
        return {}

    def do_verify(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Press Verify Connection and return what the receiver answered."""
        attempt = account.events.verify(_webhook(account, body))
        answer = (
            f"the receiver answered {attempt.status}" if attempt.status else f"no answer ({attempt.error})"
        )
        said = f"{'Success' if attempt.succeeded else 'Verification failed'}: {answer}."
        return {"ok": attempt.succeeded, "status": attempt.status, "error": attempt.error, "said": said}
