"""Whatever the network does to an answer, no call lasts longer than its time-out, and none outlives a lease."""

import gc
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from integrations.clients import call_hooks
from integrations.codescreen.client import CodeScreenClient
from integrations.http import deadlines
from integrations.http.errors import PlatformError
from integrations.http.session import PlatformSession
from integrations.models import ApiCall, Effect, Invitation
from integrations.models.leasing import LEASE
from integrations.queue import on_request, worker
from integrations.workflow.outbox import enqueue
from portal.devtools.sandbox.ids import stable_id
from tests import factories, toxics

READ, TOTAL = 0.4, 1.0
END_OF_HEADERS = b"\r\n\r\n"
SPOILT = {
    "late": toxics.late(3 * READ),
    "headers drop by drop": toxics.drops(0.05),
    "headers without end": toxics.endless(0.05),
    "the body drop by drop": toxics.drops(0.2, after=END_OF_HEADERS),
    "cut before the first byte": toxics.cut(0),
    "cut in the headers": toxics.cut(20),
    "cut in the body": lambda client, answer: client.sendall(answer[:-5]),
    "reset": toxics.reset,
}


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(deadlines, "READ_SECONDS", READ)
    monkeypatch.setattr(deadlines, "TOTAL_SECONDS", TOTAL)


def send(url, sandbox):
    """Invite somebody straight at CodeScreen's address."""
    client = CodeScreenClient(PlatformSession("codescreen", f"{url}/api"), sandbox.api_key)
    assessment = stable_id("acme", "assessment", "Backend")
    return client.send(assessment, "Candidate Alder", "alder@candidates.example")


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_answer_ends_in_time_and_leaves_it_open_whether_it_happened(sandbox, name):
    with toxics.Proxy(sandbox.codescreen.url, SPOILT[name]) as proxy:
        began = time.monotonic()
        with pytest.raises(PlatformError) as raised:
            send(proxy.url, sandbox)
        assert time.monotonic() - began < TOTAL + 0.5
    assert (raised.value.ambiguous, raised.value.permanent) == (True, False)
    assert sandbox.invitations_sent() == 1


@pytest.mark.parametrize("toxic", [toxics.late(READ / 2), toxics.lingering(5.0)], ids=["late", "lingering"])
def test_a_slow_network_is_no_fault(sandbox, toxic):
    with toxics.Proxy(sandbox.codescreen.url, toxic) as proxy:
        began = time.monotonic()
        send(proxy.url, sandbox)
        assert time.monotonic() - began < TOTAL


def test_an_invitation_whose_answer_drips_in_is_uncertain_and_not_sent_again(
    connected_organization, sandbox, settings
):
    invitation = factories.InvitationFactory(
        organization=connected_organization,
        opportunity_id=sandbox.opportunity_id("Alder"),
        assessment_id=stable_id("acme", "assessment", "Backend"),
    )
    enqueue.enqueue_invitation(invitation)
    with toxics.Proxy(sandbox.codescreen.url, SPOILT["the body drop by drop"]) as proxy:
        settings.CODESCREEN_API_URL = f"{proxy.url}/api"
        worker.work()
        Effect.objects.filter(state="due").update(due_at=factories.a_moment_ago())
        worker.work()
    assert Invitation.objects.get().status == "uncertain"
    assert sandbox.invitations_sent() == 1


def test_no_call_outlives_a_lease(settings):
    longest = (
        settings.PLATFORM_READ_SECONDS + 10.0 + deadlines.CONNECT_SECONDS + call_hooks.RENEW_AFTER_SECONDS
    )
    assert timedelta(seconds=longest) < LEASE


def open_files():
    return sum(1 for _ in Path("/dev/fd").iterdir())


def comes_down_to(most):
    """Whether so few files are open soon: the servers in this process hang up a little later than their callers."""
    deadline = time.monotonic() + 5
    while open_files() > most and time.monotonic() < deadline:
        time.sleep(0.02)
    return open_files() <= most


@pytest.fixture
def _no_collector():
    """What isn't freed with its last reference stays, as it does for thousands of calls in a worker."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("status", [200, 422, 503])
def test_a_call_leaves_no_connection_open_however_it_is_answered(sandbox, status):
    if status != 200:
        rule = {"method": "POST", "path": "/api/assessments$", "kind": "status", "times": 5, "status": status}
        sandbox.codescreen_does("faults", seed=1, rules=[rule])
    before = open_files()
    for _ in range(5):
        with suppress(PlatformError):
            send(sandbox.codescreen.url, sandbox)
    assert comes_down_to(before)


@pytest.mark.usefixtures("_no_collector")
def test_steps_leave_no_connection_open(connected_organization, sandbox):
    counts: list[int] = []
    for number in range(4):
        invitation = factories.InvitationFactory(
            organization=connected_organization,
            status="pending",
            opportunity_id=sandbox.opportunity_id("Alder"),
            email="alder@candidates.example",
            assessment_id=stable_id("acme", "assessment", "Backend"),
            round=number + 1,
        )
        enqueue.enqueue_invitation(invitation)
        worker.work()
        on_request.poll_organization(connected_organization)
        on_request.sweep_organization(connected_organization)
        assert not counts or comes_down_to(counts[0])
        counts.append(open_files())
    calls = set(ApiCall.objects.values_list("platform", "method"))
    assert calls >= {("lever", "GET"), ("lever", "POST"), ("codescreen", "GET"), ("codescreen", "POST")}
