"""HTTP to a platform: one session per client, with hooks before and after each call."""

import json
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import requests
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, SSLError

from integrations.http import answer_headers, deadlines
from integrations.http.errors import PlatformError
from integrations.http.json_types import JsonObject
from integrations.http.redaction import redact, redact_tokens, without_addresses
from integrations.http.secret_mask import SecretMask, secrets_of_headers
from integrations.http.shapes import Deviation, Endpoint

KEPT_BODY_CHARACTERS = 4000
#: Of a longer error only the status is used.
LONGEST_ERROR_BYTES = 100_000
_TEMPORARY = frozenset({408, 425, 429})
_PUBLIC_IN_FORMS = frozenset({"grant_type", "client_id", "redirect_uri", "scope"})

#: The query's names and values; a name may come several times.
type Params = Sequence[tuple[str, str]] | Mapping[str, str]


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
    #: Seconds by which our clock is ahead of the platform's; None when unknown.
    clock_ahead: float | None = None
    endpoint: str = ""
    #: How the answer differs from the shape that the portal relies on.
    deviations: tuple[Deviation, ...] = ()


def storable_json(value: object) -> object:
    """Return decoded JSON without what PostgreSQL can't store: NUL and lone surrogates in texts."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable_json(key): storable_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable_json(item) for item in value]
    return value


def _kept(value: object) -> str:
    if value is None:
        return ""
    return json.dumps(redact(value), ensure_ascii=False)[:KEPT_BODY_CHARACTERS]


def _kept_answer(value: object, mask: SecretMask, *, has_tokens: bool) -> str:
    """Return what is kept of an answer: nothing that the request had to keep secret, and no tokens."""
    kept = _kept(redact_tokens(value) if has_tokens else value)
    return mask.mask(kept) if has_tokens or mask.may_be_in(kept) else kept


class PlatformSession:
    """A requests session for one platform and one customer.

    `before_call()` is called before each request and may wait or raise CallDeferred; `after_call(record)` after each.
    """

    def __init__(
        self,
        platform: str,
        base_url: str,
        *,
        before_call: Callable[[], None] | None = None,
        after_call: Callable[[CallRecord], None] | None = None,
    ) -> None:
        self.platform = platform
        self.base_url = base_url.rstrip("/")
        self.http = requests.Session()
        self.http.trust_env = False
        self._adapter = deadlines.DeadlineAdapter()
        for scheme in ("http://", "https://"):
            self.http.mount(scheme, self._adapter)
        self.http.headers["User-Agent"] = "CodeScreen-Lever-Portal"
        self.http.headers["Accept"] = "application/json"
        self._before_call = before_call or (lambda: None)
        self._after_call = after_call or (lambda call: None)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        payload: JsonObject | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        endpoint: Endpoint | None = None,
    ) -> object:
        """Return the decoded JSON body of a 2xx answer (None when it is empty).

        How it differs from the endpoint's shape is recorded with the call, and doesn't hinder the caller.
        Raises PlatformError for everything else. A write is `ambiguous` when the request may have reached the
        platform and no trustworthy answer came back.
        """
        self._before_call()
        mask = SecretMask([*secrets_of_headers(headers or {}), *_secrets_of_form(form or {})])
        started = time.monotonic()
        status: int | None = None
        decoded: object = None
        ahead: float | None = None
        deviations: tuple[Deviation, ...] = ()
        failure = ""  # the message only: the error would keep this frame alive, and with it the connection
        try:
            status, decoded, ahead = self._send(method, path, params, payload, form, headers, started, mask)
            deviations = endpoint.deviations(decoded) if endpoint else ()
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
                    request_body=_kept(payload),
                    response_body=_kept_answer(decoded, mask, has_tokens=form is not None),
                    error=failure,
                    clock_ahead=ahead,
                    endpoint=endpoint.name if endpoint else "",
                    deviations=deviations,
                )
            )

    def _send(
        self,
        method: str,
        path: str,
        params: Params | None,
        payload: JsonObject | None,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        started: float,
        mask: SecretMask,
    ) -> tuple[int, object, float | None]:
        is_write = method not in {"GET", "HEAD"}
        try:
            with (
                self._adapter.bounded(deadlines.TOTAL_SECONDS),
                self.http.request(
                    method,
                    self.base_url + path,
                    params=params,
                    json=payload,
                    data=form,
                    headers=headers,
                    timeout=(deadlines.CONNECT_SECONDS, deadlines.READ_SECONDS),
                    # requests would turn a redirected POST into a GET and drop Authorization on another host
                    allow_redirects=not is_write,
                    stream=True,
                ) as response,
            ):
                body = deadlines.read_body(
                    response,
                    started,
                    most_bytes=deadlines.MAX_BODY_BYTES,
                    most_seconds=deadlines.TOTAL_SECONDS,
                )
        except requests.RequestException as error:
            reached = not _never_sent(error)
            raise PlatformError(
                f"{self.platform} did not answer: {type(error).__name__}", ambiguous=is_write and reached
            ) from (None if mask.changes(str(error)) else error)
        ahead = answer_headers.clock_ahead(response.headers, time.monotonic() - started)
        return response.status_code, self._judge(response, body, is_write, mask), ahead

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
                    f"{self.platform} answered {status} with something that isn't JSON",
                    ambiguous=is_write,
                    status=status,
                )
            return decoded
        decoded = mask.mask_json(decoded) if len(body) <= LONGEST_ERROR_BYTES else None
        raise PlatformError(
            f"{self.platform} answered {status}{_reason(decoded)}",
            permanent=status < 500 and status not in _TEMPORARY,
            # a gateway's 52x may follow a request that went through; 503 means that it wasn't accepted
            ambiguous=is_write and status >= 500 and status != 503,
            status=status,
            retry_after=answer_headers.retry_after(response.headers),
            body=decoded,
        )


def _secrets_of_form(form: Mapping[str, str]) -> list[str]:
    """Return the values of a form that are secrets; the token endpoint is the only one that is sent forms."""
    return [value for name, value in form.items() if name not in _PUBLIC_IN_FORMS]


def _never_sent(error: requests.RequestException) -> bool:
    """Whether the request certainly did not leave: no connection was made."""
    if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.InvalidURL)):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    if isinstance(reason, SSLError):
        # a certificate is checked before anything is sent; other TLS errors may come later
        return isinstance(reason.args[0] if reason.args else None, ssl.SSLCertVerificationError)
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError, NameResolutionError))


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
