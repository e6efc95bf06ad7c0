from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses

from portal.devtools.processes import wait_until
from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from portal.devtools.sandbox.lever.seed import stage_id
from portal.devtools.sandbox.lever.server import LeverSandbox
from portal.devtools.sandbox.messages import body_of
from portal.devtools.sandbox.values import stable_id
from tests.devtools.sandbox.callers import LeverCaller

ALDER = stable_id("acme", "opportunity", "Alder")
SUPER_ADMIN = stable_id("acme", "user", "super-admin")
ASSESSMENT_STAGE = stage_id("acme", "CodeScreen Assessment")


@pytest.fixture
def lever() -> Iterator[LeverSandbox]:
    server = LeverSandbox().start()
    for account in server.accounts.values():
        account.settings.update({"rate_limit": 0, "webhook_retry_delays": [0.05, 0.05]})
    yield server
    server.stop()


@pytest.fixture
def codescreen() -> Iterator[CodeScreenSandbox]:
    server = CodeScreenSandbox().start()
    yield server
    server.stop()


@pytest.fixture
def caller(lever: LeverSandbox) -> Iterator[LeverCaller]:
    connected = LeverCaller(lever).connect()
    yield connected
    connected.http.close()


@pytest.fixture
def hook(wire: responses.RequestsMock) -> Callable[..., str]:
    """Return what gives the address of a receiver that answers with these statuses in turn, the last one for ever."""
    wire.add_passthru("http://127.0.0.1")

    def answer(*statuses: int) -> str:
        for status in statuses or (200,):
            wire.post("http://portal.example/hook/", status=status)
        return "http://portal.example/hook/"

    return answer


@pytest.fixture
def received(wire: responses.RequestsMock) -> Callable[[int], list[tuple[Any, bytes]]]:
    """Return what gives the headers and bodies that arrived, once there are so many."""

    def wait_for(count: int) -> list[tuple[Any, bytes]]:
        wait_until(lambda: len(wire.calls) >= count, 5, "too few webhooks arrived")
        return [(call.request.headers, body_of(call.request)) for call in wire.calls]

    return wait_for
