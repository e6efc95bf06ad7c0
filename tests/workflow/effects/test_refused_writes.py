"""A platform that refuses for long costs no attempt, is asked seldom, and everything drains by itself afterwards."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.codescreen.client import CodeScreenClient
from integrations.http.errors import PlatformError
from integrations.models import (
    ApiCall,
    CircuitBreaker,
    CodeScreenConnection,
    Delivery,
    Effect,
    EmailTopic,
    LeverConnection,
)
from integrations.queue import duties, worker
from integrations.workflow.operations.codescreen_connection import save_codescreen_key
from integrations.workflow.outbox import retry_policy
from tests import factories

WORDS = ("Alder", "Tamarack", "Rowan", "Juniper", "Hawthorn")
STAGE = "CodeScreen Assessment"
MINUTES = 10


def minute_passes():
    """Let a minute pass for what waits, and do what the schedules do in it."""
    minute = timedelta(minutes=1)
    for model in (Delivery, Effect):
        for pk, due_at in list(model.objects.filter(due_at__isnull=False).values_list("pk", "due_at")):
            model.objects.filter(pk=pk).update(due_at=(due_at or timezone.now()) - minute)
    for breaker in CircuitBreaker.objects.filter(open_until__isnull=False):
        CircuitBreaker.objects.filter(pk=breaker.pk).update(
            open_until=(breaker.open_until or timezone.now()) - minute
        )
    duties.requeue_waiting()
    duties.retry_refused_keys()
    worker.work()


@pytest.fixture
def crowd(scenario, sandbox):
    """Invitations of several candidates that are about to go out."""
    return [scenario.pending_invitation(word) for word in seeded(sandbox)]


def seeded(sandbox):
    """Return words of candidates whom the pretend Lever has."""
    opportunities = sandbox.lever.accounts["acme"].opportunities
    return [word for word in WORDS if sandbox.opportunity_id(word) in opportunities]


def test_a_revoked_key_costs_no_attempt_and_is_tried_once_a_minute(scenario, crowd):
    assert len(crowd) >= 2
    scenario.codescreen_fails(status=401, path="/api/", method="", times=1000)
    scenario.work()
    assert CodeScreenConnection.objects.get().state == "refused"
    first = ApiCall.objects.filter(status=401).count()
    assert first <= 2
    for _ in range(MINUTES):
        minute_passes()
    asked = ApiCall.objects.filter(status=401).count() - first
    assert asked <= 2 * MINUTES  # a probe every thirty seconds at most
    waiting = Effect.objects.filter(kind="send_invitation")
    assert {(row.state, row.attempts, row.consecutive_crashes) for row in waiting} == {("due", 0, 0)}
    notices = Effect.objects.filter(kind="send_email").exclude(email_topic=EmailTopic.RESULT)
    assert notices.count() <= 1
    scenario.sandbox.codescreen_does("faults", rules=[])
    minute_passes()
    minute_passes()
    assert {scenario.reread(row).status for row in crowd} == {"invited"}
    assert scenario.sandbox.invitations_sent() == len(crowd)


def test_a_revoked_grant_is_not_asked_with_again_and_nothing_is_lost(scenario, sandbox):
    LeverConnection.objects.get().mark_needs_reconnect("revoked")
    for word in seeded(sandbox):
        sandbox.lever_does("move", opportunities=[sandbox.opportunity_id(word)], stage=STAGE)
        data = {"opportunityId": sandbox.opportunity_id(word), "toStageId": sandbox.stage_id(STAGE)}
        factories.DeliveryFactory(
            organization=scenario.organization,
            opportunity_id=sandbox.opportunity_id(word),
            payload={"event": "candidateStageChange", "data": data},
        )
    before = ApiCall.objects.filter(platform="lever").count()
    for _ in range(MINUTES):
        minute_passes()
    assert ApiCall.objects.filter(platform="lever").count() == before
    assert set(Delivery.objects.values_list("verdict", flat=True)) == {"disconnected"}
    LeverConnection.objects.update(state="connected", state_reason="")
    minute_passes()
    assert not Delivery.objects.filter(verdict="disconnected").exists()
    assert sandbox.invitations_sent() == Delivery.objects.filter(verdict="invite").count() > 0


def test_a_storm_of_429_burns_nothing_and_drains_when_it_is_over(scenario, crowd, settings):
    scenario.codescreen_fails(status=429, retry_after=2, times=1000)
    began = timezone.now()
    for _ in range(MINUTES):
        minute_passes()
    effects = Effect.objects.filter(kind="send_invitation")
    assert {(row.state, row.consecutive_crashes) for row in effects} == {("due", 0)}
    assert all(row.due_at is not None and row.due_at > began - timedelta(minutes=2) for row in effects)
    assert scenario.sandbox.invitations_sent() == 0
    scenario.sandbox.codescreen_does("faults", rules=[])
    for _ in range(3):
        minute_passes()
    assert {scenario.reread(row).status for row in crowd} == {"invited"}
    assert scenario.sandbox.invitations_sent() == len(crowd)


@pytest.mark.parametrize("call", ["send", "status"])
def test_a_no_to_the_former_key_says_nothing_of_the_one_saved_meanwhile(
    scenario, sandbox, super_admin, monkeypatch, call
):
    is_about_status = call == "status"
    invitation = scenario.sent_invitation() if is_about_status else scenario.pending_invitation()
    key = CodeScreenConnection.objects.get().api_key

    def refused_late(*_: Any) -> None:
        CodeScreenConnection.objects.update(state="refused")  # another worker has told of the former key
        save_codescreen_key(scenario.organization, key, super_admin)
        raise PlatformError("CodeScreen answered 401", status=401, permanent=True)

    with monkeypatch.context() as patch:
        patch.setattr(CodeScreenClient, call, refused_late)
        scenario.poll() if is_about_status else scenario.work()
    assert CodeScreenConnection.objects.get().is_working
    if not is_about_status:  # saving woke what waited, and this one was on its way
        assert scenario.latest_effect().due_at - timezone.now() <= retry_policy.FIRST_RETRY
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent("alder@candidates.example")) == (
        "invited",
        1,
    )
