"""However the network disturbs an answer, no call lasts longer than its time-out or than a lease."""

import gc
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from integrations.codescreen.client import CodeScreenClient
from integrations.http import deadlines
from integrations.http.connections import forget_sessions
from integrations.http.session import PlatformError, PlatformSession
from integrations.store.leasing import LEASE, RENEW_AFTER_SECONDS
from portal.devtools.sandbox.values import stable_id
from tests.support import toxics

READ, TOTAL = 0.4, 1.0
#: Beside the faults of the sandbox: an answer that comes late, or never.
DISTURBED = {
    "headers byte by byte": toxics.byte_by_byte(0.05),
    "headers without end": toxics.endless_headers(0.05),
    "the body byte by byte": toxics.byte_by_byte(0.2, after=b"\r\n\r\n"),
    "cut in the headers": lambda client, answer: client.sendall(answer[:20]),
    "cut in the body": lambda client, answer: client.sendall(answer[:-5]),
}


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(deadlines, "READ_SECONDS", READ)
    monkeypatch.setattr(deadlines, "TOTAL_SECONDS", TOTAL)


def send(url, sandbox):
    """Send an invitation to CodeScreen at `url`."""
    client = CodeScreenClient(PlatformSession("codescreen", f"{url}/api"), sandbox.api_key)
    assessment = stable_id("acme", "assessment", "Backend")
    return client.send(assessment, "Candidate Alder", "alder@candidates.example")


@pytest.mark.slow
@pytest.mark.parametrize("name", DISTURBED)
def test_a_call_ends_in_time_and_is_ambiguous_when_its_answer_is_disturbed(sandbox, name):
    with toxics.Proxy(sandbox.codescreen.url, DISTURBED[name]) as proxy:
        started_at = time.monotonic()
        with pytest.raises(PlatformError) as raised:
            send(proxy.url, sandbox)
        assert time.monotonic() - started_at < TOTAL + 0.5
    assert (raised.value.ambiguous, raised.value.permanent) == (True, False)
    assert sandbox.invitations_sent() == 1


def test_a_call_does_not_wait_for_the_end_of_the_connection(sandbox):
    with toxics.Proxy(sandbox.codescreen.url, toxics.lingering(5.0)) as proxy:
        started_at = time.monotonic()
        send(proxy.url, sandbox)
        assert time.monotonic() - started_at < TOTAL


def test_a_call_is_shorter_than_a_lease():
    longest = deadlines.TOTAL_SECONDS + RENEW_AFTER_SECONDS
    assert timedelta(seconds=longest) < LEASE


def open_files():
    return sum(1 for _ in Path("/dev/fd").iterdir())


def open_files_fall_to(maximum):
    """Whether at most so many files are open within 5 s, without the kept connections.

    The sandbox closes a little later than its callers.
    """
    forget_sessions()
    deadline = time.monotonic() + 5
    while open_files() > maximum and time.monotonic() < deadline:
        time.sleep(0.02)
    return open_files() <= maximum


@pytest.fixture
def _no_garbage_collection():
    """Turn the garbage collector off: a worker makes thousands of calls before it runs."""
    forget_sessions()
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_garbage_collection")
@pytest.mark.parametrize("status", [200, 422, 503])
def test_a_call_leaves_no_connection_open_but_the_kept_one(sandbox, status):
    if status != 200:
        rule = {"method": "POST", "path": "/api/assessments$", "kind": "status", "times": 5, "status": status}
        sandbox.codescreen_does("faults", seed=1, rules=[rule])
    before = open_files()
    for _ in range(5):
        with suppress(PlatformError):
            send(sandbox.codescreen.url, sandbox)
    assert open_files_fall_to(before)
