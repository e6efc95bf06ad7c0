"""The server under both platforms: it routes requests, and it can be made to fail."""

from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import werkzeug.exceptions

from portal.devtools.sandbox.connections import Exchange, HttpServer
from portal.devtools.sandbox.faults import Damage, Fault, FaultPlan
from portal.devtools.sandbox.messages import (
    HttpError,
    Request,
    Response,
    Route,
    Router,
    json_response,
    render,
)
from portal.devtools.sandbox.webhook_sender import WebhookSender

#: Nobody but this machine can reach it.
HOST = "127.0.0.1"
STYLESHEET = Path(__file__).parent / "static" / "sandbox.css"
WRITES = frozenset({"POST", "PUT", "DELETE", "PATCH"})
BAD_GATEWAY = b"<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"


def is_loopback(host: str) -> bool:
    """Return whether a host name or address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class SandboxServer:
    """A pretend platform: routes, faults and a server thread; subclasses add the behaviour."""

    server_name: ClassVar[str] = "sandbox"
    #: The code of the error that answers a path without a route.
    unknown_path: ClassVar[str] = "ResourceNotFound"
    sender: WebhookSender | None = None

    def __init__(self, port: int = 0) -> None:
        self.router = Router()
        self.faults = FaultPlan()
        self._http = HttpServer((HOST, port), self.server_name, self.exchange)
        self.port = self._http.port
        self.url = f"http://{HOST}:{self.port}"
        self._css = STYLESHEET.read_bytes()
        self.router.add(
            [
                Route("GET", "/_static/sandbox.css", self._stylesheet),
                Route("POST", "/_control/faults", self._load_faults),
            ]
        )

    def start(self) -> Self:
        """Serve in a thread of its own and return at once."""
        self._http.start()
        return self

    def stop(self) -> None:
        """Stop sending and serving, and drop every open connection."""
        if self.sender is not None:
            self.sender.stop()
        self._http.stop()

    def account_of(self, request: Request) -> Any:
        """Return the account that an API call authenticates for, None for none."""

    def subject_of(self, request: Request) -> str:
        """Return under which name its account counts a fault that leaves a write open."""
        return request.path

    def error_body(self, error: HttpError) -> object:
        """Return the JSON of an API error: CodeScreen's form, unless a platform has its own."""
        return {"error": {"code": error.code or "error", "message": error.message}} | error.extra

    def exchange(self, request: Request) -> Exchange:
        """Answer one request, or let it fail according to the fault plan."""
        try:
            route = self.router.match(request)
        except HttpError as error:
            return Exchange(self._error_response(error, as_json=True))
        if route is None:
            as_json = not request.headers.get("Accept", "").startswith("text/html")
            unknown = HttpError(404, f"{request.path} was not found", self.unknown_path)
            return Exchange(self._error_response(unknown, as_json=as_json))
        if route.is_api:
            return self._api_exchange(route, request)
        if not self._is_same_origin(request):
            return Exchange(self._forbidden())
        return Exchange(self._run(route, request))

    def _api_exchange(self, route: Route, request: Request) -> Exchange:
        fault = account = None
        if self.faults.faults:
            account = self.account_of(request)
            fault = self.faults.draw(request.method, request.path, account.slug if account else "")
        if fault is None:
            return Exchange(self._run(route, request))
        response = self._run(route, request) if fault.is_after else None
        if request.method in WRITES and account and fault.is_ambiguous:
            with account.lock:
                account.ambiguous[self.subject_of(request)] += 1
        return self._damaged(fault, response)

    def _run(self, route: Route, request: Request) -> Response:
        try:
            return route.handler(request)
        except HttpError as error:
            return self._error_response(error, as_json=route.answers_json)
        except werkzeug.exceptions.HTTPException as error:  # a form that can't be read
            unreadable = HttpError(error.code or 400, error.description or error.name, "BadRequestError")
            return self._error_response(unreadable, as_json=route.answers_json)

    def _error_response(self, error: HttpError, *, as_json: bool) -> Response:
        if as_json:
            return json_response(self.error_body(error), error.status)
        return render("error.html", {"message": error.message}, error.status)

    def _damaged(self, fault: Fault, response: Response | None) -> Exchange:
        """Return what is sent in place of the answer."""
        match fault.damage:
            case Damage.RESET:
                return Exchange(None)
            case Damage.TIMEOUT:
                return Exchange(None, hold_ms=fault.delay_ms)
            case Damage.TRUNCATED:
                return Exchange(response, is_truncated=True)
            case Damage.HTML:
                return Exchange(Response(BAD_GATEWAY, fault.status, content_type="text/html"))
        error = json_response(self.error_body(HttpError(fault.status, "fault", "Fault")), fault.status)
        if fault.retry_after is not None:
            error.headers["Retry-After"] = f"{fault.retry_after:g}"
        return Exchange(error)

    def _is_same_origin(self, request: Request) -> bool:
        """Return whether a page or control request comes from this server's own pages or from no page at all.

        Every web page that a developer has open can post to a loopback port, which its Origin shows; a
        foreign Host name shows a rebound DNS record.
        """
        host = request.headers.get("Host", "")
        origin = request.headers.get("Origin", "")
        host_name = urlsplit(f"//{host}").hostname or ""
        return is_loopback(host_name) and (not origin or urlsplit(origin).netloc == host)

    def _forbidden(self) -> Response:
        error = HttpError(403, "Only reachable from this machine", "Forbidden")
        return json_response(self.error_body(error), error.status)

    def _stylesheet(self, _request: Request) -> Response:
        headers = {"Cache-Control": "max-age=60"}
        return Response(self._css, 200, headers, content_type="text/css; charset=utf-8")

    def _load_faults(self, request: Request) -> Response:
        self.faults.load(request.json_object())
        return json_response({})
