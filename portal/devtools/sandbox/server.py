"""The server under both platforms: it routes, and it can be made to fail."""

from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread
from typing import ClassVar, Self
from urllib.parse import urlsplit

from portal.devtools.sandbox.faults import Fault, FaultPlan
from portal.devtools.sandbox.http import Refusal, Request, Response, json_response
from portal.devtools.sandbox.http_server import HttpServer, Outcome
from portal.devtools.sandbox.pages import render
from portal.devtools.sandbox.routing import Route, Router

STATIC = Path(__file__).parent / "static"
WRITES = frozenset({"POST", "PUT", "DELETE", "PATCH"})


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

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        if not is_loopback(host):
            raise ValueError(f"the sandbox only listens on loopback addresses, not on {host}")
        self.router = Router()
        self.faults = FaultPlan()
        self._stopping = Event()
        self._http = HttpServer((host, port), self)
        self._thread: Thread | None = None
        self.host = host
        self.port: int = self._http.server_address[1]
        self.url = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
        self._css = (STATIC / "sandbox.css").read_bytes()
        self.router.add("GET", "/_static/sandbox.css", self._stylesheet)
        self.router.add("GET", "/_control/faults", self._show_faults, as_json=True)
        self.router.add("POST", "/_control/faults", self._load_faults, as_json=True)
        self.router.add("DELETE", "/_control/faults", self._clear_faults, as_json=True)

    def start(self) -> Self:
        """Serve in a thread of its own and return at once."""
        # A short poll keeps stop() quick; it costs nothing while requests arrive.
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and drop every open connection."""
        self._stopping.set()
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        self._http.drop_connections()

    def account_of(self, request: Request) -> str:
        """Return the slug of the account a request speaks for, as far as can be told cheaply."""
        raise NotImplementedError

    def note_fault(self, request: Request, fault: Fault, *, took_effect: bool) -> None:
        """Remember a fault on a write, so that an uncertain outcome can be explained later."""
        raise NotImplementedError

    def error_body(self, refusal: Refusal) -> object:
        """Return the JSON an API error carries."""
        raise NotImplementedError

    def exchange(self, request: Request) -> Outcome:
        """Answer one request, with whatever fault is due."""
        try:
            route = self.router.match(request)
        except Refusal as refusal:
            return Outcome(self._refuse(request, refusal, as_json=True))
        if route is None:
            as_json = not request.headers.get("Accept", "").startswith("text/html")
            return Outcome(self._refuse(request, self.unknown_route(request), as_json=as_json))
        if not route.faultable:
            return Outcome(self._run(route, request) if self._is_own(request) else self._foreign())
        drawn = [] if self.faults.is_empty else self._draw(request)
        ending: Fault | None = None
        for fault in drawn:
            if fault.kind == "delay":
                self._stopping.wait(fault.delay_ms / 1000)
            else:
                ending = fault
        response = None if ending is not None and not ending.is_after else self._run(route, request)
        if request.method in WRITES:
            took_effect = response is not None and response.status < 400
            for fault in drawn:
                self.note_fault(request, fault, took_effect=took_effect)
        return Outcome(response) if ending is None else self._spoil(ending, response)

    def unknown_route(self, request: Request) -> Refusal:
        """Return what an unknown path is answered with."""
        return Refusal(404, f"{request.path} was not found", "ResourceNotFound")

    def _draw(self, request: Request) -> list[Fault]:
        return self.faults.draw(request.method, request.path, self.account_of(request))

    def _run(self, route: Route, request: Request) -> Response:
        try:
            return route.handler(request)
        except Refusal as refusal:
            return self._refuse(request, refusal, as_json=route.as_json)

    def _refuse(self, request: Request, refusal: Refusal, *, as_json: bool) -> Response:
        if as_json:
            return json_response(self.error_body(refusal), refusal.status)
        return render("error.html", {"message": refusal.message, "brand": self.server_name}, refusal.status)

    def _spoil(self, fault: Fault, response: Response | None) -> Outcome:
        kind = fault.kind.removesuffix("_before").removesuffix("_after")
        if kind == "reset":
            return Outcome(None, "reset")
        if kind == "timeout":
            return Outcome(None, "hold", fault.delay_ms)
        if kind == "truncated":
            return Outcome(response, "truncate")
        if kind == "html":
            page = b"<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
            return Outcome(Response(fault.status, page, "text/html"))
        broken = json_response(self.error_body(Refusal(fault.status, "fault", "Fault")), fault.status)
        if fault.retry_after is not None:
            broken.headers.append(("Retry-After", f"{fault.retry_after:g}"))
        return Outcome(broken)

    def _is_own(self, request: Request) -> bool:
        """Whether a page or control request comes from this server's own pages or from no page at all.

        Any web page a developer has open can post to a loopback port; its Origin gives it away, and a
        foreign Host name gives away a rebound DNS record.
        """
        host = request.headers.get("Host", "")
        origin = request.headers.get("Origin", "")
        named = urlsplit(f"//{host}").hostname or ""
        return is_loopback(named) and (not origin or urlsplit(origin).netloc == host)

    def _foreign(self) -> Response:
        return json_response(
            self.error_body(Refusal(403, "Only reachable from this machine", "Forbidden")), 403
        )

    def _stylesheet(self, _request: Request) -> Response:
        return Response(200, self._css, "text/css; charset=utf-8", [("Cache-Control", "max-age=60")])

    def _show_faults(self, _request: Request) -> Response:
        return json_response({"rules": self.faults.describe()})

    def _load_faults(self, request: Request) -> Response:
        self.faults.load(request.json_object())
        return self._show_faults(request)

    def _clear_faults(self, _request: Request) -> Response:
        self.faults.clear()
        return json_response({"rules": []})
