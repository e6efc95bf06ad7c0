"""Requests and responses as both pretend platforms see them."""

import json
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from functools import cached_property
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from portal.devtools.sandbox.ids import Json


class Refusal(Exception):
    """A request that is answered with an error; the platform decides what the body looks like."""

    def __init__(self, status: int, message: str, code: str = "", extra: Json | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.extra = extra or {}


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


@dataclass(slots=True)
class Upload:
    """One file part of a multipart request."""

    name: str
    content_type: str
    content: bytes


@dataclass
class Request:
    """One HTTP request, its body read in full."""

    method: str
    target: str
    headers: Message
    body: bytes = b""
    params: dict[str, str] = field(default_factory=dict)
    template: str = ""

    @cached_property
    def path(self) -> str:
        """The path as sent, still percent-encoded."""
        return urlsplit(self.target).path

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The query string, decoded once."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def arg(self, name: str, default: str = "") -> str:
        """Return the first query value of that name."""
        return self.query.get(name, [default])[0]

    def args(self, name: str) -> list[str]:
        """Return every query value of that name."""
        return self.query.get(name, [])

    @cached_property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Return the parsed JSON body; raises a 400 Refusal."""
        try:
            return json.loads(self.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise Refusal(400, "Body is not valid JSON", "BadRequestError") from None

    def json_object(self) -> Json:
        """Return the JSON body, which must be an object; raises a 400 Refusal."""
        value = self.json() if self.body.strip() else {}
        if not isinstance(value, dict):
            raise Refusal(400, "Body must be a JSON object", "BadRequestError")
        return value

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """The fields of an HTML form."""
        if self.content_type == "multipart/form-data":
            return self._multipart[0]
        return parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def field(self, name: str, default: str = "") -> str:
        """Return the first form value of that name, trimmed."""
        return self.form.get(name, [default])[0].strip()

    @property
    def uploads(self) -> dict[str, Upload]:
        """The file parts of a multipart request by field name."""
        return self._multipart[1] if self.content_type == "multipart/form-data" else {}

    @cached_property
    def _multipart(self) -> tuple[dict[str, list[str]], dict[str, Upload]]:
        head = f"Content-Type: {self.headers.get('Content-Type', '')}\r\n\r\n".encode()
        fields: dict[str, list[str]] = {}
        files: dict[str, Upload] = {}
        message = message_from_bytes(head + self.body)
        for part in message.get_payload() if message.is_multipart() else []:
            content = part.get_payload(decode=True) or b""  # type: ignore[union-attr]
            name = str(part.get_param("name", "", "content-disposition"))  # type: ignore[union-attr]
            filename = part.get_filename()  # type: ignore[union-attr]
            if filename is None:
                fields.setdefault(name, []).append(content.decode("utf-8", "replace"))  # type: ignore[union-attr]
            else:
                files[name] = Upload(filename, part.get_content_type(), content)  # type: ignore[union-attr,arg-type]
        return fields, files

    def cookie(self, name: str) -> str:
        """Return a cookie's value, or an empty string."""
        try:
            morsel = SimpleCookie(self.headers.get("Cookie", "")).get(name)
        except CookieError:
            return ""
        return morsel.value if morsel else ""


@dataclass(slots=True)
class Response:
    """One HTTP answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)

    def head(self, server_name: str, *, close: bool) -> bytes:
        """Return the status line and headers as they go on the wire."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Status"
        lines = [f"HTTP/1.1 {self.status} {phrase}", f"Server: {server_name}"]
        if self.content_type:
            lines.append(f"Content-Type: {self.content_type}")
        if self.status not in (204, 304):
            lines.append(f"Content-Length: {len(self.body)}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines.append(f"Connection: {'close' if close else 'keep-alive'}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def json_response(value: object, status: int = 200) -> Response:
    """Return a JSON answer."""
    # A lone surrogate somebody sent comes back as the escape it came as.
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Response(status, body, "application/json; charset=utf-8")


def html_response(text: str, status: int = 200) -> Response:
    """Return an HTML answer."""
    return Response(
        status, text.encode("utf-8", "replace"), "text/html; charset=utf-8", [("Cache-Control", "no-store")]
    )


def redirect(location: str) -> Response:
    """Return a 303: what a form answers after it did its work."""
    return Response(303, b"", "", [("Location", location)])
