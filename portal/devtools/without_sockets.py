"""Requests of the `requests` library that a pretend platform in this process answers, without sockets."""

from collections.abc import Mapping
from email.message import Message
from io import BytesIO
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from portal.devtools.sandbox.http.messages import Request, build_request


def platform_request(prepared: requests.PreparedRequest) -> Request:
    """Return a request as a pretend platform would read it from a connection."""
    headers = Message()
    headers["Host"] = urlsplit(prepared.url or "").netloc
    for name, value in prepared.headers.items():
        headers[name] = value if isinstance(value, str) else value.decode()
    return build_request(prepared.method or "", prepared.path_url, headers, body_of(prepared))


def body_of(prepared: requests.PreparedRequest) -> bytes:
    """Return a request's body, empty if it has none."""
    body = prepared.body or b""
    return body.encode() if isinstance(body, str) else bytes(body)


def answer_of(
    adapter: HTTPAdapter,
    prepared: requests.PreparedRequest,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
) -> requests.Response:
    """Return an answer as if it had come over the network."""
    raw = HTTPResponse(BytesIO(body), headers, status, preload_content=False)
    return adapter.build_response(prepared, raw)
