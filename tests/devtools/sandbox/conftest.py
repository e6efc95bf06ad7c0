from collections.abc import Callable, Iterator

import pytest

from portal.devtools.sandbox.codescreen.server import CodeScreenSandbox
from portal.devtools.sandbox.lever.seed import stage_id
from portal.devtools.sandbox.lever.server import LeverSandbox
from portal.devtools.sandbox.values import stable_id
from tests.devtools.sandbox.callers import LeverCaller
from tests.devtools.sandbox.receivers import Receiver

ALDER = stable_id("acme", "opportunity", "Alder")
SUPER_ADMIN = stable_id("acme", "user", "super-admin")
FORMER = stable_id("acme", "user", "former")
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
def receivers() -> Iterator[Callable[..., Receiver]]:
    made: list[Receiver] = []

    def make(*statuses: int) -> Receiver:
        made.append(Receiver(*statuses))
        return made[-1]

    yield make
    for receiver in made:
        receiver.stop()
