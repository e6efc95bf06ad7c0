"""One request over a kept connection, and its whole answer."""

import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    SSLError,
)

from integrations.http import deadlines
from integrations.http.json_types import JsonObject
from integrations.http.kept_connections import Customer, PlatformConnection, kept_connections
from integrations.http.redirects import follow
from integrations.http.upload import Upload

#: The query's names and values; a name may come several times.
type Params = Sequence[tuple[str, str]] | Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """One request: its body is JSON, a form, a file or nothing."""

    method: str
    url: str
    params: Params | None = None
    payload: JsonObject | None = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    upload: Upload | None = None

    @property
    def files(self) -> dict[str, tuple[str, bytes, str]] | None:
        """The parts of the multipart form, None for another body."""
        one = self.upload
        return {"file": (one.name, one.content, one.content_type)} if one else None

    @property
    def is_write(self) -> bool:
        """Whether the request may change something."""
        return self.method not in {"GET", "HEAD"}


def exchange(customer: Customer, request: Request, started: float) -> tuple[requests.Response, bytes]:
    """Return the answer and its whole body. Raises requests.RequestException when there is none in time.

    A redirect to another host of the platform is followed; of any other LedElsewhere is raised.

    `started` is when the call began, by the monotonic clock. A read is repeated when the platform has closed the
    connection since the call before; a write isn't, since it may have been processed.
    """
    while True:
        may_be_closed = False
        try:
            with kept_connections.use(customer, is_write=request.is_write) as connection:
                may_be_closed = connection.is_reused
                return _exchange_on(connection, request, started)
        except requests.exceptions.ConnectionError as error:
            if request.is_write or not may_be_closed or not _ended_without_answer(error):
                raise


def _exchange_on(
    connection: PlatformConnection, request: Request, started: float
) -> tuple[requests.Response, bytes]:
    def send(url: str) -> requests.Response:
        return connection.http.request(
            request.method,
            url,
            params=request.params if url == request.url else None,  # a redirect's address has its own
            json=request.payload,
            data=request.form,
            files=request.files,
            headers=request.headers,
            timeout=(deadlines.CONNECT_SECONDS, deadlines.READ_SECONDS),
            allow_redirects=False,
            stream=True,
        )

    seconds_left = deadlines.TOTAL_SECONDS - (time.monotonic() - started)
    with (
        connection.adapter.bounded(seconds_left),
        follow(send, request.url, is_write=request.is_write) as response,
    ):
        body = deadlines.read_body(
            response,
            started,
            most_bytes=deadlines.MAX_BODY_BYTES,
            most_seconds=deadlines.TOTAL_SECONDS,
        )
        connection.note_answer(response.headers)
        return response, body


def was_never_sent(error: requests.RequestException) -> bool:
    """Whether the request certainly did not leave: no connection was made."""
    if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.InvalidURL)):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    if isinstance(reason, SSLError):
        # a certificate is checked before anything is sent; other TLS errors may come later
        return isinstance(reason.args[0] if reason.args else None, ssl.SSLCertVerificationError)
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError, NameResolutionError))


def _ended_without_answer(error: requests.exceptions.ConnectionError) -> bool:
    """Whether the connection ended before anything of an answer came."""
    return bool(error.args) and isinstance(error.args[0], ProtocolError)
