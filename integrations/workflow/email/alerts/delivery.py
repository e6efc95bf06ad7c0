"""Post one alert to one address: signed where it is to be, recorded without its URL, refused in private networks."""

import json
import time

import requests

from integrations.clients import call_window
from integrations.clients.call_hooks import after_call
from integrations.clients.context import CallContext
from integrations.codescreen.signature import sign
from integrations.http import public_web
from integrations.http.call_record import CallRecord, kept_body
from integrations.http.errors import PlatformError
from integrations.http.json_types import JsonObject
from integrations.models import AlertAddress, Organization

#: What the record of calls has instead of a platform.
RECORDED_AS = "alert"
_TEMPORARY = frozenset({408, 425, 429})


def post(
    organization: Organization,
    address: AlertAddress,
    message_id: str,
    body: JsonObject,
    context: CallContext,
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
    try:
        return public_web.call(
            "POST",
            address.url,
            address.organization_id,
            headers=_headers(address, message_id, content),
            content=content,
        )
    except public_web.AddressRefused:
        raise PlatformError(
            f"{address.host} leads into a private network, which the portal doesn't call", permanent=True
        ) from None
    except (requests.RequestException, UnicodeError) as error:
        # not the error itself: its text holds the URL
        raise PlatformError(f"{address.host} did not answer: {type(error).__name__}") from None


def _headers(address: AlertAddress, message_id: str, content: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    if address.kind != AlertAddress.Kind.SIGNED:
        return headers
    timestamp = str(int(time.time()))
    return {
        **headers,
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(message_id, timestamp, content, address.secret),
    }
