"""Requests as both pretend platforms see them."""

import json
from email.message import Message
from io import BytesIO
from urllib.parse import unquote

import werkzeug

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.json_values import JsonObject


class Request(werkzeug.Request):
    """One HTTP request, its body read in full; the router fills in `path_template` and `path_params`."""

    # The connection has limited the whole body already.
    max_form_memory_size = None

    def __init__(self, environ: dict[str, object]) -> None:
        super().__init__(environ)
        self.path_template = ""
        self.path_params: dict[str, str] = {}

    def field(self, name: str) -> str:
        """Return the first value of a form field, trimmed, or an empty string."""
        return self.form.get(name, "").strip()

    def json_object(self) -> JsonObject:
        """Return the JSON body, an empty one as {}; raises a 400 HttpError for anything but an object."""
        body = self.get_data()
        try:
            value = json.loads(body, parse_constant=_reject_constant) if body.strip() else {}
        except (ValueError, RecursionError):
            raise HttpError(400, "Body is not valid JSON", "BadRequestError") from None
        if not isinstance(value, dict):
            raise HttpError(400, "Body must be a JSON object", "BadRequestError")
        return value


def build_request(method: str, target: str, headers: Message, body: bytes) -> Request:
    """Return the request that was read from a connection."""
    path, _, query = target.partition("?")
    environ: dict[str, object] = {
        "REQUEST_METHOD": method,
        # WSGI carries the path's bytes as Latin-1 text.
        "PATH_INFO": unquote(path, "latin-1"),
        "QUERY_STRING": query,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "sandbox",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
    }
    for name, value in headers.items():
        environ.setdefault(f"HTTP_{name.upper().replace('-', '_')}", value)
    return Request(environ)


def _reject_constant(name: str) -> object:
    """Reject NaN and Infinity, which Python's parser would accept."""
    raise ValueError(f"{name} is not JSON")
