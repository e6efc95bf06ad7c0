"""Requests, responses and errors of the pretend platforms, their routes and their pages' templates."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import requests
import werkzeug
from django.template import Context, Engine
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule
from werkzeug.test import create_environ

from portal.devtools.sandbox.values import JsonObject


class HttpError(Exception):
    """A request that is answered with an error; the platform decides what the body looks like."""

    def __init__(self, status: int, message: str, code: str = "", extra: JsonObject | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.extra = extra or {}


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


def build_request(method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Request:
    """Return the request that was read from a connection."""
    return Request(create_environ(target, method=method, headers=headers, data=body))


def _reject_constant(name: str) -> object:
    """Reject NaN and Infinity, which Python's parser would accept."""
    raise ValueError(f"{name} is not JSON")


class Response(werkzeug.Response):
    """One HTTP answer; without a body it names no content type."""

    default_mimetype = None


def json_response(value: object, status: int = 200) -> Response:
    """Return a JSON answer."""
    # A lone surrogate in a request is answered as the escape it was sent as.
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Response(body, status, content_type="application/json; charset=utf-8")


def html_response(text: str, status: int = 200) -> Response:
    """Return an HTML answer that browsers don't cache."""
    body = text.encode("utf-8", "replace")
    headers = {"Cache-Control": "no-store"}
    return Response(body, status, headers, content_type="text/html; charset=utf-8")


def redirect(location: str) -> Response:
    """Return a 303, the answer to a form that was handled."""
    return Response(status=303, headers={"Location": location})


type Handler = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path template."""

    method: str
    path: str
    handler: Handler

    @property
    def is_api(self) -> bool:
        """Whether it is a call of the platform's API, which faults may hit."""
        return self.path.startswith(("/v1/", "/oauth/", "/api/"))

    @property
    def answers_json(self) -> bool:
        """Whether it is no page."""
        return self.is_api or self.path.startswith("/_control/")


class _AccountConverter(BaseConverter):
    """The first segment of a page's path: an account's slug, never a prefix that has a meaning of its own."""

    part_isolating = True
    regex = "(?!(?:v1|api|oauth|_control|_static|candidate|client-result)$)[^/]+"


@cache
def _adapter(templates: tuple[tuple[str, str], ...]) -> MapAdapter:
    """Return what finds a method's path template; made once, since every server of a platform has the same ones."""
    rules = [Rule(path, methods=[method], endpoint=(method, path)) for method, path in templates]
    converters = {"account": _AccountConverter}
    return Map(rules, strict_slashes=False, merge_slashes=False, converters=converters).bind("sandbox")


class Router:
    """The routes of one server; literal segments win over parameters, and a trailing slash doesn't matter."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], Route] = {}

    def add(self, routes: Iterable[Route]) -> None:
        """Register routes."""
        for route in routes:
            self._routes.setdefault((route.method, route.path), route)

    def match(self, request: Request) -> Route | None:
        """Return the route of a request and fill in its path parameters, or None; raises a 405 HttpError."""
        adapter = _adapter(tuple(self._routes))
        try:
            template, params = adapter.match(request.path, request.method)
        except MethodNotAllowed:
            message = f"{request.method} is not allowed here"
            raise HttpError(405, message, "MethodNotAllowed") from None
        except NotFound:
            return None
        route = self._routes[template]
        request.path_template = route.path
        request.path_params = dict(params)
        return route


FOLDER = Path(__file__).with_name("templates")


@cache
def engine() -> Engine:
    """Return the template engine over the sandbox's own templates."""
    return Engine(dirs=[str(FOLDER)], autoescape=True, builtins=["portal.devtools.sandbox.filters"])


def render(template: str, context: dict[str, object], status: int = 200) -> Response:
    """Return a page."""
    text = engine().get_template(template).render(Context(context, use_l10n=False))
    return html_response(text, status)


def platform_request(prepared: requests.PreparedRequest) -> Request:
    """Return a request as a pretend platform would read it from a connection."""
    host = {"Host": urlsplit(prepared.url or "").netloc}
    headers = [(name, str(value)) for name, value in (host | dict(prepared.headers)).items()]
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
