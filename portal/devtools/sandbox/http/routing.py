"""Which handler answers a method on a path."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.http.requests import Request
from portal.devtools.sandbox.http.responses import Response

type Handler = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path template."""

    method: str
    path: str
    handler: Handler
    is_api: bool = False  # a call of the platform's API, which faults may hit
    answers_json: bool = False


def api_route(method: str, path: str, handler: Handler) -> Route:
    """Return the route of an API call: it answers JSON, and faults may hit it."""
    return Route(method, path, handler, is_api=True, answers_json=True)


def control_route(method: str, path: str, handler: Handler) -> Route:
    """Return the route of a control call at a path under /_control/: it answers JSON, and faults spare it."""
    return Route(method, f"/_control/{path}", handler, answers_json=True)


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
