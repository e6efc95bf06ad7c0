"""What happens to a candidate, from the API, the pages and the control door alike, and which webhooks follow."""

import json
import random
from datetime import UTC, datetime

from portal.devtools.sandbox.codescreen import mails
from portal.devtools.sandbox.codescreen.signature import sign
from portal.devtools.sandbox.codescreen.state import (
    COMPLETE,
    IN_PROGRESS,
    NOT_STARTED,
    REASONS,
    RESULTS,
    SUBMITTED,
    UNSCORED,
    CodeScreenAccount,
    Instance,
)
from portal.devtools.sandbox.http import Refusal
from portal.devtools.sandbox.ids import Json, new_id, now_ms
from portal.devtools.sandbox.webhooks import Delivery, WebhookSender


class Journey:
    """The steps of a candidate's way; call them with the account's lock held."""

    def __init__(self, sender: WebhookSender, base_url: str) -> None:
        self._sender = sender
        self._base_url = base_url
        self._random = random.Random(0)

    def invite(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Take in a candidate and send the invitation."""
        account.add(instance)
        instance.allow_start()
        self._mail(account, instance, mails.BEGIN)
        self._happen(account, instance, "Sent Email", "candidate.invited")

    def start(self, account: CodeScreenAccount, instance: Instance) -> None:
        """The candidate confirms the start."""
        _expect(instance, NOT_STARTED)
        instance.phase, instance.started_at = IN_PROGRESS, now_ms()
        instance.allow_finish()
        self._mail(account, instance, "Assessment Details")
        self._happen(account, instance, "Started", "candidate.started")

    def submit(self, account: CodeScreenAccount, instance: Instance) -> None:
        """The candidate hands the solution in; its analysis takes a while."""
        _expect(instance, IN_PROGRESS)
        instance.phase, instance.submitted_at = SUBMITTED, now_ms()
        self._mail(account, instance, "Acknowledgement")
        self._happen(account, instance, "Completed", "candidate.submitted")

    def evaluate(self, account: CodeScreenAccount, instance: Instance, verdict: Json) -> None:
        """The analysis is done. Someone who never pressed Submit is evaluated all the same."""
        _expect(instance, IN_PROGRESS, SUBMITTED)
        score, result, reason = read_verdict(verdict)
        has_tests = instance.assessment.unit_tests > 0
        self._complete(instance, score if has_tests else None, result, reason)
        self._happen(account, instance, "Evaluated", "candidate.evaluated")

    def expire(self, account: CodeScreenAccount, instance: Instance) -> None:
        """The candidate ran out of time."""
        _expect(instance, NOT_STARTED, IN_PROGRESS)
        self._complete(instance, None, "Expired", "Expired")
        self._happen(account, instance, "Expired", "candidate.expired")

    def reopen(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Give another chance: resend to someone who expired unstarted, else request changes."""
        _expect(instance, COMPLETE)
        resend = instance.started_at is None
        instance.attempt += 1
        instance.phase = NOT_STARTED if resend else IN_PROGRESS
        instance.score = instance.result = instance.reason = None
        instance.submitted_at = instance.evaluated_at = None
        if resend:
            instance.allow_start()
        else:
            instance.allow_finish()
        self._mail(account, instance, mails.BEGIN if resend else "Request Changes")
        event = "Sent Email" if resend else "Changes Requested"
        self._happen(account, instance, event, "candidate.reopened")

    def regrade(self, account: CodeScreenAccount, instance: Instance, verdict: Json) -> None:
        """Somebody at the company overrides score and result."""
        _expect(instance, COMPLETE)
        score, result, reason = read_verdict(verdict)
        instance.attempt += 1
        self._complete(instance, score, result, reason)
        self._happen(account, instance, "Result Edited", "candidate.result_updated")

    def bounce(self, account: CodeScreenAccount, instance: Instance) -> None:
        """The address doesn't exist."""
        _expect(instance, NOT_STARTED)
        instance.bounced = True
        self._happen(account, instance, "Email Bounced", "candidate.email_bounced")

    def delete(self, _account: CodeScreenAccount, instance: Instance) -> None:
        """The candidate is deleted; the API knows nothing of them any more."""
        instance.deleted_at = now_ms()
        instance.log.append((now_ms(), "Deleted"))

    def check_time(self, account: CodeScreenAccount, instance: Instance) -> None:
        """Expire an instance whose time is over; called whenever somebody looks."""
        if instance.is_overdue:
            self.expire(account, instance)

    def act(self, account: CodeScreenAccount, instance: Instance, action: str, verdict: Json) -> None:
        """Do a step by its name; raises a 400 Refusal for an unknown one, 409 for one out of turn."""
        match action:
            case "start" | "submit" | "expire" | "reopen" | "bounce" | "delete":
                getattr(self, action)(account, instance)
            case "evaluate" | "regrade":
                getattr(self, action)(account, instance, verdict)
            case _:
                raise Refusal(400, f"unknown action {action}", "bad_request")

    def _complete(
        self, instance: Instance, score: int | None, result: str | None, reason: str | None
    ) -> None:
        instance.phase, instance.evaluated_at = COMPLETE, now_ms()
        instance.score, instance.result, instance.reason = score, result, reason

    def _mail(self, account: CodeScreenAccount, instance: Instance, template: str) -> None:
        instance.mails.append(mails.write(template, instance, account.name, self._base_url))

    def _happen(self, account: CodeScreenAccount, instance: Instance, entry: str, event: str) -> None:
        instance.log.append((now_ms(), entry))
        instance.sequence += 1
        settings = account.settings
        if not settings.webhook_url or not settings.webhook_secret:
            return
        if not settings.webhooks_enabled or self._random.random() < settings.webhook_loss:
            account.lost += 1
            return
        message_id, body = f"msg_{new_id().replace('-', '')}", payload(instance, event)
        for _ in range(1 + settings.webhook_duplicates):
            after = self._random.random() * settings.webhook_shuffle_ms / 1000
            delivery = Delivery(
                event,
                instance.id,
                settings.webhook_url,
                lambda: (signed_headers(account, message_id, body), body),
                webhook=message_id,
                follow_up=lambda done: _disable_if_gone(account, done),
            )
            account.deliveries.append(delivery)
            self._sender.send(delivery, retry_delays=settings.webhook_retry_delays, after=after)


def payload(instance: Instance, event: str) -> bytes:
    """Return a webhook body: ids and the status, nothing about the person."""
    data: Json = {"assessmentInstanceId": instance.id, "assessmentId": instance.assessment.id}
    if instance.external_id:
        data["externalId"] = instance.external_id
    data |= {"status": instance.status, "sequence": instance.sequence}
    timestamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    document = {"type": event, "timestamp": timestamp, "data": data}
    return json.dumps(document, separators=(",", ":")).encode()


def signed_headers(account: CodeScreenAccount, message_id: str, body: bytes) -> dict[str, str]:
    """Return the three headers of one attempt: the id stays, the time is the attempt's."""
    timestamp = now_ms() // 1000
    keys = [account.settings.webhook_secret, account.settings.webhook_previous_secret]
    signatures = " ".join(sign(key, message_id, timestamp, body) for key in keys if key)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures,
    }


def read_verdict(verdict: Json) -> tuple[int | None, str | None, str | None]:
    """Return score, result and reason as given; raises a 400 Refusal for impossible ones."""
    score, result, reason = (verdict.get(name) for name in ("score", "result", "reason"))
    if score is not None and (not isinstance(score, int) or isinstance(score, bool) or not 0 <= score <= 100):
        raise Refusal(400, "score must be an integer from 0 to 100", "bad_request")
    if result not in (None, *RESULTS):
        raise Refusal(400, f"result must be one of {', '.join(RESULTS)}", "bad_request")
    if reason is not None and not isinstance(reason, str):
        raise Refusal(400, f"reason must be a text such as {', '.join(REASONS)}", "bad_request")
    if result in (None, "Passed"):
        reason = None
    elif result == "Expired":
        reason = "Expired"
    elif reason is None:
        reason = "Unit Tests"
    return (None if reason in UNSCORED else score), result, reason


def _expect(instance: Instance, *phases: str) -> None:
    if instance.deleted_at is not None or instance.phase not in phases:
        found = "deleted" if instance.deleted_at is not None else instance.phase
        message = f"the candidate is {found}, not {' or '.join(phases)}".replace("_", " ")
        raise Refusal(409, message, "out_of_turn")


def _disable_if_gone(account: CodeScreenAccount, delivery: Delivery) -> None:
    if delivery.last_status == 410:
        account.settings.webhooks_enabled = False
