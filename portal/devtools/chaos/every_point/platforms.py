"""The sandbox's Lever and CodeScreen in this process: reached without sockets, and their webhooks held back."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from integrations.core.vocabulary import ResultOutcome
from integrations.http import deadlines
from portal.devtools.chaos.every_point.faults import FaultKind
from portal.devtools.chaos.every_point.injector import Injector
from portal.devtools.clock import CALL_SECONDS, PretendClock
from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from portal.devtools.sandbox.connections import Exchange
from portal.devtools.sandbox.lever.server import LeverSandbox
from portal.devtools.sandbox.messages import (
    Request,
    Response,
    answer_of,
    json_response,
    platform_request,
)
from portal.devtools.sandbox.server import SandboxServer
from portal.devtools.sandbox.values import JsonObject
from portal.devtools.sandbox.webhook_sender import Delivery, WebhookSender

ACCOUNT = "acme"
RETRY_AFTER = "1"
#: Where the customer wants results and problems.
CHAT_URL = "https://hooks.slack.com/services/T/B/secret"
WEBHOOK_RETRY_SECONDS, WEBHOOK_TRIES = 60.0, 6

#: Posts a webhook to the portal (path, headers, body) and returns the status, None when no answer came.
Post = Callable[[str, dict[str, str], bytes], int | None]


class Platforms:
    """A pretend Lever and CodeScreen with the account `acme`, for which CodeScreen states results."""

    def __init__(self, lever_port: int, codescreen_port: int, clock: PretendClock) -> None:
        self.lever = LeverSandbox(port=lever_port)
        self.codescreen = CodeScreenSandbox(port=codescreen_port)
        self.codescreen.platform.accounts[ACCOUNT].settings.update({"metadata": True})
        self._clock = clock
        self._servers: Sequence[SandboxServer] = (self.lever, self.codescreen)
        self._webhooks: list[Delivery] = []
        #: The messages about results that arrived in the chat room.
        self.alerts: set[str] = set()

    @contextmanager
    def reachable(self, injector: Injector) -> Iterator[None]:
        """Answer the product's requests in place of the network, with the faults of the injector."""

        def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **_: object) -> requests.Response:
            return self._send(adapter, request, injector)

        def hold_back(_: WebhookSender, delivery: Delivery, **__: object) -> None:
            self._webhooks.append(delivery)

        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(HTTPAdapter, "send", send))
            stack.enter_context(mock.patch.object(WebhookSender, "send", hold_back))
            yield

    # people and platforms act

    def lever_does(self, action: str, /, **body: Any) -> JsonObject:
        """Do something in Lever, and return its answer."""
        return self.lever.control.act(action, {"account": ACCOUNT, **body})

    def codescreen_does(self, action: str, /, **body: Any) -> JsonObject:
        """Do something in CodeScreen, and return its answer."""
        return self.codescreen.control.act(action, {"account": ACCOUNT, **body})

    def deliver_webhooks(self, post: Post) -> None:
        """Send the webhooks that are due, as Lever does: each again a minute later until it is accepted."""
        for delivery in self._webhooks:
            for _ in range(WEBHOOK_TRIES):
                headers, body = delivery.prepare()
                status = post(urlsplit(delivery.url).path, headers, body)
                if status is not None and 200 <= status < 300:
                    break
                self._clock.advance(WEBHOOK_RETRY_SECONDS)
        self._webhooks.clear()

    def stage_id(self, name: str) -> str:
        """Return the id of a stage in Lever. Raises LookupError."""
        stage = self.lever.accounts[ACCOUNT].find_stage(name)
        if stage is None:
            raise LookupError(name)
        return stage.id

    def ledgers(self) -> tuple[JsonObject, JsonObject]:
        """Return Lever's and CodeScreen's books of the account."""
        codescreen = self.codescreen.platform.accounts[ACCOUNT]
        lever = self.lever.accounts[ACCOUNT]
        return self.lever.control.describe(lever), self.codescreen.control.describe(codescreen)

    # the wire

    def _send(
        self, adapter: HTTPAdapter, prepared: requests.PreparedRequest, injector: Injector
    ) -> requests.Response:
        request = platform_request(prepared)
        if prepared.url == CHAT_URL:
            name, exchange = "POST alert", self._take_alert
        else:
            server = next(item for item in self._servers if (prepared.url or "").startswith(f"{item.url}/"))
            server.router.match(request)
            name, exchange = f"{prepared.method} {request.path_template}", server.exchange
        kind = injector.at_call(name)
        self._clock.advance(CALL_SECONDS)
        if kind is FaultKind.TIMEOUT_BEFORE:
            self._time_out()
        answer = _refusal(kind)
        if answer is None:
            with request:  # which closes the files that were uploaded
                answer = exchange(request).response or Response(status=500)
            injector.after_call(kind)
        match kind:
            case FaultKind.TIMEOUT_AFTER:
                self._time_out()
            case FaultKind.RESET_AFTER:
                raise requests.ConnectionError(ConnectionResetError("Connection reset by peer"))
            case FaultKind.ERROR_AFTER:
                answer = json_response({"message": "fault"}, 500)
            case FaultKind.BROKEN_BODY:
                answer.set_data(answer.get_data()[: len(answer.get_data()) // 2] or b"{")
        return answer_of(adapter, prepared, answer.status_code, dict(answer.headers), answer.get_data())

    def _take_alert(self, request: Request) -> Exchange:
        """Answer in place of a customer's chat room."""
        text = request.get_data().decode()
        if any(f"Result: {outcome}" in text for outcome in ResultOutcome):
            self.alerts.add(text)
        return Exchange(json_response({}))

    def _time_out(self) -> None:
        self._clock.advance(deadlines.READ_SECONDS)
        raise requests.ReadTimeout("no answer")


def _refusal(kind: FaultKind | None) -> Response | None:
    """Return the answer of a platform that doesn't do as asked, None where it does."""
    if kind is FaultKind.TOO_MANY:
        answer = json_response({"message": "fault"}, 429)
        answer.headers["Retry-After"] = RETRY_AFTER
        return answer
    return json_response({"message": "fault"}, 500) if kind is FaultKind.ERROR else None
