"""Calls to a platform over HTTP, with hooks before and after each, the record of each, and the errors they end in."""

import hashlib
import json
import math
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Unpack

import requests
import urllib3
from django.utils import timezone

from integrations.core import slots
from integrations.core.vocabulary import Platform
from integrations.http.connections import Request, Sent, exchange, was_never_sent
from integrations.http.redaction import (
    SecretMask,
    redact,
    redact_tokens,
    secrets_of_headers,
    with_texts,
    without_addresses,
)
from integrations.http.redirects import LedElsewhere


class PlatformError(Exception):
    """A call to a platform did not succeed.

    `permanent`: trying the same again can't help. `ambiguous`: the call may still have taken effect.
    `status` is the HTTP status, None when no answer came; `retry_after` is in seconds, None when the platform gave
    none; `body` is the decoded answer where there was one.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        ambiguous: bool = False,
        status: int | None = None,
        retry_after: float | None = None,
        body: object = None,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.ambiguous = ambiguous
        self.status = status
        self.retry_after = retry_after
        self.body = body


class NotConnected(PlatformError):
    """There is no working connection to call with. Nothing was sent; a person has to connect first."""


class CallDeferred(PlatformError):
    """The call isn't to be made now; nothing was sent, and the row that it is for is tried again.

    The rate limit's next slot is too far off, or the platform doesn't answer and is left alone for a while; the worker
    is to stop or its time for calls is over; a duty's turn is over; another worker has taken the row over.
    """

    def __init__(self, try_again_after: float, reason: str = "waiting for a free slot") -> None:
        super().__init__(reason, retry_after=try_again_after)


LONGEST_RETRY_AFTER = 6 * 3600.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return Retry-After in seconds (RFC 9110 §10.2.3: seconds or a date), at most six hours; None without one.

    A date is compared with the answer's Date, which is the platform's own clock, since ours may be minutes off.
    """
    value, date = headers.get("Retry-After"), headers.get("Date")
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            now = parsedate_to_datetime(date) if date else timezone.now()
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
        except (TypeError, ValueError):
            return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


KEPT_BODY_CHARACTERS = 4000
#: Once personal data is removed from so many, mostly as many are left as are kept.
LOOKED_AT_CHARACTERS = 5 * KEPT_BODY_CHARACTERS


@dataclass(frozen=True)
class CallRecord:
    """One request and its answer, for the record of calls; bodies are redacted."""

    platform: str
    method: str
    path: str
    status: int | None
    duration_ms: int
    request_body: str
    response_body: str
    error: str


def kept_body(value: object) -> str:
    """Return what is kept of a decoded body: JSON without personal data and secrets."""
    if value is None:
        return ""
    return json.dumps(redact(_beginning(value)), ensure_ascii=False)[:KEPT_BODY_CHARACTERS]


def _beginning(value: object) -> object:
    """Return a body with the first items alone of a long list: a page of a hundred candidates costs as few do."""
    if isinstance(value, dict):
        return {name: _first(item) if isinstance(item, list) else item for name, item in value.items()}
    return _first(value) if isinstance(value, list) else value


def _first(items: list[object]) -> list[object]:
    """Return the first items, as many as have LOOKED_AT_CHARACTERS of JSON, and how many more there were."""
    length = 0
    for number, item in enumerate(items, 1):
        length += len(json.dumps(item))
        if length > LOOKED_AT_CHARACTERS and number < len(items):
            return [*items[:number], f"[{len(items) - number} more]"]
    return items


def kept_request(request: Request) -> str:
    """Return what is kept of a request's body: nothing of a form, and of a file its type, size and digest alone."""
    upload = request.upload
    if upload is None:
        return kept_body(request.payload)
    digest = hashlib.sha256(upload.content).hexdigest()
    return kept_body({"file": {"type": upload.content_type, "bytes": len(upload.content), "sha256": digest}})


def kept_answer(value: object, mask: SecretMask, *, has_tokens: bool) -> str:
    """Return what is kept of an answer: nothing that the request had to keep secret, and no tokens."""
    kept = kept_body(redact_tokens(value) if has_tokens else value)
    return mask.mask(kept) if has_tokens or mask.may_be_in(kept) else kept


#: Of a longer error only the status is used.
LONGEST_ERROR_BYTES = 100_000
_TEMPORARY = frozenset({408, 425, 429})
_PUBLIC_IN_FORMS = frozenset({"grant_type", "client_id", "redirect_uri", "scope"})


def _unanswered(name: str, error: requests.RequestException) -> str:
    """Return why a platform's answer is missing, in words for people."""
    if isinstance(error, requests.ConnectTimeout | requests.ReadTimeout):
        return f"{name} did not answer in time"
    if fault := _certificate_fault(error):
        return f"{name}'s certificate was refused: {fault}"
    if was_never_sent(error):
        return f"{name} could not be reached"
    if isinstance(error, requests.ConnectionError):
        return f"The connection to {name} ended before an answer came"
    return f"{name} did not answer: {type(error).__name__}"


def _certificate_fault(error: requests.RequestException) -> str:
    """Return what is wrong with the certificate that came, such as that it has expired; empty for any other error."""
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    fault = reason.args[0] if isinstance(reason, urllib3.exceptions.SSLError) and reason.args else None
    return str(fault.verify_message) if isinstance(fault, ssl.SSLCertVerificationError) else ""


def storable_json(value: object) -> object:
    """Return decoded JSON without what PostgreSQL can't store: NUL and lone surrogates in texts."""
    return with_texts(value, lambda text: text.replace("\x00", "").encode("utf-8", "replace").decode())


class PlatformSession:
    """Calls to one platform for one customer, on connections that serve this customer alone.

    `customer` is the organization's key, 0 for calls of no organization.
    `before_call()` is called before each request and may wait or raise CallDeferred; `after_call(record)` after each.
    """

    def __init__(
        self,
        platform: str,
        base_url: str,
        *,
        customer: int = 0,
        before_call: Callable[[], None] | None = None,
        after_call: Callable[[CallRecord], None] | None = None,
    ) -> None:
        self.platform = platform
        self._name = Platform(platform).label
        self.base_url = base_url.rstrip("/")
        self._customer = customer
        self._connection_key = (self.base_url, customer)
        self._before_call = before_call or (lambda: None)
        self._after_call = after_call or (lambda call: None)

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        **sent: Unpack[Sent],
    ) -> object:
        """Return the decoded JSON body of a 2xx answer (None when it is empty).

        Raises PlatformError for everything else. A write is `ambiguous` when the request may have reached the
        platform and no trustworthy answer came back. Raises Busy in a request while too many wait for platforms.
        """
        slots.hold(slots.Work.PLATFORM, self._customer)
        self._before_call()
        request = Request(method, self.base_url + path, headers, **sent)
        # the token endpoint is the only one that is sent forms
        secrets_of_form = [
            value for name, value in (request.form or {}).items() if name not in _PUBLIC_IN_FORMS
        ]
        mask = SecretMask([*secrets_of_headers(headers or {}), *secrets_of_form])
        started = time.monotonic()
        status: int | None = None
        decoded: object = None
        failure = ""  # the message only: the error would keep this frame alive, and with it the connection
        try:
            status, decoded = self._send(request, started, mask)
            return decoded
        except PlatformError as error:
            failure = str(error)[:500]
            status, decoded = error.status, error.body
            raise
        finally:
            self._after_call(
                CallRecord(
                    platform=self.platform,
                    method=method,
                    path=path,
                    status=status,
                    duration_ms=int((time.monotonic() - started) * 1000),
                    request_body=kept_request(request),
                    response_body=kept_answer(decoded, mask, has_tokens=request.form is not None),
                    error=failure,
                )
            )

    def _send(self, request: Request, started: float, mask: SecretMask) -> tuple[int, object]:
        """Return the status and the decoded body. Raises PlatformError."""
        try:
            response, body = exchange(self._connection_key, request, started)
        except LedElsewhere as error:
            raise PlatformError(
                f"{self._name} {mask.mask(str(error))}",
                permanent=not error.may_be_done,
                ambiguous=error.may_be_done,
            ) from None
        except requests.RequestException as error:
            raise PlatformError(
                _unanswered(self._name, error),
                ambiguous=request.is_write and not was_never_sent(error),
            ) from (None if mask.finds_secret(str(error)) else error)
        return response.status_code, self._judge(response, body, request.is_write, mask)

    def _judge(self, response: requests.Response, body: bytes, is_write: bool, mask: SecretMask) -> object:
        status = response.status_code
        try:
            decoded = storable_json(json.loads(body)) if body else None
            readable = True
        except (ValueError, RecursionError):
            decoded, readable = None, False
        if 200 <= status < 300:
            if not readable:
                raise PlatformError(
                    f"{self._name} answered {status} with something that isn't JSON",
                    ambiguous=is_write,
                    status=status,
                )
            return decoded
        decoded = with_texts(decoded, mask.mask) if len(body) <= LONGEST_ERROR_BYTES else None
        raise PlatformError(
            f"{self._name} answered {status}{_reason(decoded)}",
            permanent=status < 500 and status not in _TEMPORARY,
            # a gateway's 52x may follow a request that went through; 503 means that it wasn't accepted
            ambiguous=is_write and status >= 500 and status != 503,
            status=status,
            retry_after=retry_after(response.headers),
            body=decoded,
        )


def _reason(body: object) -> str:
    """Return code and message of a platform's error body, for people to read, without e-mail addresses."""
    if not isinstance(body, Mapping):
        return ""
    nested = body.get("error")
    if isinstance(nested, Mapping):
        body = nested
    parts = [
        without_addresses(str(body[name]))[:200]
        for name in ("code", "error", "message", "error_description")
        if isinstance(body.get(name), str)
    ]
    return f": {' – '.join(parts)}" if parts else ""
