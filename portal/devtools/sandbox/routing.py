"""The router: path templates, found segment by segment."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from portal.devtools.sandbox.http import Refusal, Request, Response

type Handler = Callable[[Request], Response]


@dataclass(slots=True)
class Route:
    """One method on one path template, and whether faults may hit it."""

    template: str
    handler: Handler
    faultable: bool
    as_json: bool


class _Node:
    __slots__ = ("children", "name", "parameter", "routes")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.name = ""
        self.routes: dict[str, Route] = {}


class Router:
    """Path templates such as `/v1/stages/<id>`, found segment by segment; literal segments win."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(
        self, method: str, template: str, handler: Handler, *, faultable: bool = False, as_json: bool = False
    ) -> None:
        """Register a handler for a method on a template."""
        node = self._root
        for segment in template.strip("/").split("/"):
            if segment.startswith("<"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
                node.name = segment.strip("<>")
            else:
                node = node.children.setdefault(segment, _Node())
        node.routes[method] = Route(template, handler, faultable, as_json)

    def match(self, request: Request) -> Route | None:
        """Return the route for a request and fill its parameters; raises a 405 Refusal."""
        params: dict[str, str] = {}
        node = self._root
        for segment in request.path.strip("/").split("/"):
            child = node.children.get(segment)
            if child is None and segment:
                child = node.parameter
                if child is not None:
                    params[child.name] = unquote(segment)
            if child is None:
                return None
            node = child
        if not node.routes:
            return None
        route = node.routes.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            raise Refusal(405, f"{request.method} is not allowed here", "MethodNotAllowed")
        request.params = params
        request.template = route.template
        return route
