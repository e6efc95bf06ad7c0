"""Control calls by which people act: recruiters on candidates, Super Admins on grants and webhooks."""

from urllib.parse import parse_qs, urlsplit

from portal.devtools.sandbox.lever import candidacies
from portal.devtools.sandbox.lever.account import EVENTS, LeverAccount, Webhook, signed_body
from portal.devtools.sandbox.lever.control.accounts import LeverControl
from portal.devtools.sandbox.lever.oauth import Consent, ConsentRequest
from portal.devtools.sandbox.messages import (
    HttpError,
    Request,
    Response,
    Route,
    control_route,
    json_response,
)
from portal.devtools.sandbox.values import JsonObject, new_id, pick, text_list


class CandidateControl(LeverControl):
    """Acts as a recruiter would on the pages."""

    def routes(self) -> list[Route]:
        """Return the calls' routes."""
        return [
            self.route("move", self.move),
            self.route("archive", self.archive),
            self.route("delete", self.delete),
            self.route("anonymize", self.anonymize),
            self.route("tags", self.change_tags),
            self.route("people", self.change_people),
        ]

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
            candidacies.add_tags(account, item, add)
            candidacies.remove_tags(account, item, remove)
        return {"tags": {item.id: item.tags for item in items}}


class GrantControl(LeverControl):
    """Acts as a Super Admin would under Authorized apps."""

    def routes(self) -> list[Route]:
        """Return the calls' routes."""
        return [
            self.route("consent", self.consent),
            self.route("revoke", self.revoke),
        ]

    def consent(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Answer the consent page at an authorize URL; the answer says where that leads."""
        query = parse_qs(urlsplit(pick(body, "url", str, "")).query)
        asked = ConsentRequest.read(lambda name: query.get(name, [""])[0])
        decision, role = pick(body, "decision", str, "accept"), pick(body, "role", str, "super admin")
        answer = Consent(self._platform).answer(asked, decision, account, role)
        return {"redirect": answer.url}

    def revoke(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Revoke the app's access to an account."""
        return {"revoked": self._platform.grants.revoke(account.slug)}


STAGE_CHANGE = "candidateStageChange"


class WebhookControl(LeverControl):
    """Acts as a Super Admin would under Webhooks, and sends deliveries at will."""

    def routes(self) -> list[Route]:
        """Return the calls' routes."""
        return [
            self.route("webhook", self.make_webhook),
            control_route("POST", "verify", self.verify),
            self.route("webhooks/deliver", self.deliver),
        ]

    def make_webhook(self, account: LeverAccount, body: JsonObject) -> JsonObject:
        """Make a webhook by hand and switch its event on."""
        event, url = pick(body, "event", str, STAGE_CHANGE), pick(body, "url", str, "")
        if event not in EVENTS or not url:
            raise HttpError(400, "a known event and a url are needed")
        webhook = Webhook(new_id(), event, url)
        account.events.webhooks[webhook.id] = webhook
        account.events.enabled.add(event)
        return {"id": webhook.id, "signature_token": webhook.signature_token}

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
        for opportunity in opportunities:
            earlier = [change["toStageId"] for change in opportunity.stage_changes[:-1]]
            data = candidacies.event_data(opportunity)
            data |= {"fromStageId": earlier[-1] if earlier else None, "toStageId": opportunity.stage}
            for webhook in webhooks:
                raw = signed_body(webhook, STAGE_CHANGE, data, without_id=without_id, stale_ms=stale_ms)
                sent += [
                    account.events.dispatch(webhook, STAGE_CHANGE, raw, subject=opportunity.id).id
                    for _ in range(copies)
                ]
        return {"deliveries": sent}
