"""Send one alert: what it says, posting it, and the record of how that went."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import requests
from django.db.models.functions import Now

from integrations.clients import call_window
from integrations.clients.hooks import CallContext, after_call
from integrations.codescreen.payloads import sign
from integrations.core.vocabulary import ResultOutcome
from integrations.http import public_web
from integrations.http.json_values import JsonObject, number
from integrations.http.session import CallDeferred, CallRecord, PlatformError, kept_body
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.models.email_kind import AlertTopic, EmailKind
from integrations.notifications.models.preferences import AlertAddress
from integrations.notifications.notices import NO_LONGER_TRUE, current_wording, still_holds
from integrations.notifications.notify import UNNAMED, first_name
from integrations.notifications.payload import AlertPayload
from integrations.notifications.rendering import VARIABLE, without_links
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.outbox.outcome import Cancelled, Done, Failed

# Post one alert to one address: signed where it is to be, recorded without its URL, refused in private networks.


#: What the record of calls has instead of a platform.
RECORDED_AS = "alert"
_TEMPORARY = frozenset({408, 425, 429})


def post(
    organization: Organization, address: AlertAddress, message_id: str, body: JsonObject, context: CallContext
) -> None:
    """Post the alert and record the call: the host, the status and the shape of what was sent, never the URL.

    Raises PlatformError unless the answer is a success; it is permanent where trying again can't help.
    """
    call_window.require_open()
    if not address.url or (address.kind == AlertAddress.Kind.SIGNED and not address.secret):
        raise PlatformError("The stored address can't be read. Remove it and add it again.", permanent=True)
    started = time.monotonic()
    status: int | None = None
    failure = ""
    try:
        answer = _answer(address, message_id, body)
        status = answer.status
        if not 200 <= status < 300:
            raise PlatformError(
                f"{address.host} answered {status}",
                permanent=status < 500 and status not in _TEMPORARY,
                retry_after=answer.retry_after,
            )
    except PlatformError as error:
        failure = str(error)
        raise
    finally:
        record = after_call(organization, context)
        record(
            CallRecord(
                platform=RECORDED_AS,
                method="POST",
                path=f"//{address.host}/",
                status=status,
                duration_ms=int((time.monotonic() - started) * 1000),
                request_body=kept_body(body),
                response_body="",  # it may repeat the URL
                error=failure,
            )
        )


def _answer(address: AlertAddress, message_id: str, body: JsonObject) -> public_web.Answer:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json"}
    if address.kind == AlertAddress.Kind.SIGNED:
        timestamp = str(int(time.time()))
        headers |= {
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": sign(message_id, timestamp, content, address.secret),
        }
    try:
        return public_web.call("POST", address.url, address.organization_id, headers=headers, content=content)
    except public_web.AddressRefused:
        raise PlatformError(
            f"{address.host} leads into a private network, which the portal doesn't call", permanent=True
        ) from None
    except (requests.RequestException, UnicodeError) as error:
        # not the error itself: its text holds the URL
        raise PlatformError(f"{address.host} did not answer: {type(error).__name__}") from None


# What an alert says: as a message in a chat room, and as JSON for a program.


TEST = "test"
TEST_TEXT = "This is a test. Alerts of the CodeScreen–Lever portal arrive here."


@dataclass(frozen=True)
class Alert:
    """One alert, written in both ways."""

    text: str
    link: str
    data: JsonObject
    type: str
    at: datetime
    organization: str

    def body(self, kind: str) -> JsonObject:
        if kind == AlertAddress.Kind.SLACK:
            return {
                "text": f"{_escaped(without_links(self.text))}\n<{_escaped(self.link)}|Open in the portal>"
            }
        return {
            "type": self.type,
            "timestamp": self.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "organization": self.organization,
            "data": {**self.data, "text": self.text, "url": self.link},
        }


def alert_of(
    organization: Organization, payload: AlertPayload, invitation: Invitation | None, at: datetime
) -> Alert:
    """Return the alert as it is written now; what it says of a candidate is read now."""
    if payload.type == AlertTopic.RESULT and invitation is not None:
        text, data = _result(organization, payload, invitation)
    else:
        text, data = _problem(payload, invitation)
    return Alert(text, payload.link, data, payload.type, at, organization.slug)


def name_in_alerts(organization: Organization, invitation: Invitation) -> str:
    """Return what the organization's e-mails about results call the candidate; empty where they name nobody."""
    wording = current_wording(organization, EmailKind.RESULT)
    used = set(VARIABLE.findall(f"{wording.subject}\n{wording.body}"))
    if "candidate" in used:
        return invitation.candidate_name or UNNAMED
    return first_name(invitation.candidate_name) if "first_name" in used else ""


def _result(
    organization: Organization, payload: AlertPayload, invitation: Invitation
) -> tuple[str, JsonObject]:
    name = name_in_alerts(organization, invitation)
    role = f", for the role {invitation.role_title}" if invitation.role_title else ""
    text = f"{name or UNNAMED}: {payload.result} ({invitation.assessment_name}){role}."
    data: JsonObject = {
        "opportunity_id": invitation.opportunity_id,
        "role": invitation.role_title,
        "assessment": invitation.assessment_name,
        "outcome": payload.outcome if payload.outcome in ResultOutcome else None,
        "score": number(Decimal(payload.score) if payload.score else None),
    }
    return text, {**data, "candidate": name} if name else data


def _problem(payload: AlertPayload, invitation: Invitation | None) -> tuple[str, JsonObject]:
    sentence = payload.subject if payload.subject.endswith(".") else f"{payload.subject}."
    text = "\n".join([sentence, *payload.lines])
    data: JsonObject = {"phase": payload.phase, "title": payload.subject}
    if invitation is not None:
        data |= {"opportunity_id": invitation.opportunity_id, "role": invitation.role_title}
    return text, data


def _escaped(text: str) -> str:
    """Return a text in which Slack finds no markup, person or channel; Slack-compatible rooms read a plain @ too."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("@", "@\u200b")


# Perform the effect that sends one alert, and keep with the address how that went.


REMOVED = "The address was removed before the alert was sent."
TURNED_OFF = "The address was turned off before the alert was sent."
ERASED = "What it said was erased before it was sent."
STOPPED = (
    "Alerts to this address are stopped. Send a test: if it arrives, they start again, and this one is sent."
)


def send_alert(effect: Effect) -> Done | Cancelled | Failed:
    """Send the alert, at least once: a try whose answer got lost is repeated with the same id.

    Raises PlatformError when the address didn't accept it.
    """
    payload = AlertPayload.from_json(effect.payload)
    if payload.type not in AlertTopic:
        return Cancelled(ERASED)
    address = AlertAddress.objects.filter(organization=effect.organization_id, pk=payload.address).first()
    if address is None:
        return Cancelled(REMOVED)
    if not address.is_on:
        return Cancelled(TURNED_OFF)
    if address.stopped_at is not None:
        return Failed(STOPPED)
    if not still_holds(payload.holds_while):
        return Cancelled(NO_LONGER_TRUE)
    alert = alert_of(effect.organization, payload, effect.invitation, effect.created_at)
    try:
        post(
            effect.organization,
            address,
            message_id(effect),
            alert.body(address.kind),
            CallContext(effect=effect),
        )
    except CallDeferred:
        raise
    except PlatformError as error:
        note_failure(address.pk, str(error))
        raise
    return Done(record=partial(note_success, address.pk))


def message_id(effect: Effect) -> str:
    """Return the id of the alert: equal for every try of it, so that a receiver can drop repeats."""
    return f"msg_{effect.organization_id}_{effect.pk}"


def note_success(address: int) -> None:
    """Store that the address accepted an alert: it isn't stopped any more."""
    AlertAddress.objects.filter(pk=address).update(last_success_at=Now(), stopped_at=None)


def note_failure(address: int, reason: str) -> None:
    """Store that the address didn't accept an alert, and why."""
    AlertAddress.objects.filter(pk=address).update(last_failure_at=Now(), last_failure=reason)


def give_up_alert(effect: Effect, reason: str) -> Failed:
    """Return that an alert isn't tried again: nothing more is sent to its address until a test arrives.

    Otherwise the e-mail about this failure would lead to the next alert that fails.
    """
    return Failed(reason, also=partial(_stop, AlertPayload.from_json(effect.payload).address, reason))


def _stop(address: int, reason: str) -> None:
    running = AlertAddress.objects.filter(pk=address, stopped_at=None)
    running.update(stopped_at=Now(), last_failure_at=Now(), last_failure=reason)
