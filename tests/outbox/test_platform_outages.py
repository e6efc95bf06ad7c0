"""While a platform refuses for long, attempts aren't counted and calls are few; afterwards all waiting work is done."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.clients.models import ApiCall, CircuitBreaker
from integrations.codescreen.acts import save_codescreen_key
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.models import CodeScreenConnection
from integrations.http import steps
from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.notifications.models.email_kind import EmailTopic
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue import worker
from integrations.queue.models.duty_run import Duty
from tests.support import duty_runs

WORDS = ("Alder", "Tamarack", "Cedar", "Elm")
MINUTES = 10


def minute_passes():
    """Make all waiting rows a minute older, and do what the schedules do in a minute."""
    minute = timedelta(minutes=1)
    for model in (Delivery, Effect):
        for pk, due_at in list(model.objects.filter(due_at__isnull=False).values_list("pk", "due_at")):
            model.objects.filter(pk=pk).update(due_at=(due_at or timezone.now()) - minute)
    for breaker in CircuitBreaker.objects.filter(open_until__isnull=False):
        CircuitBreaker.objects.filter(pk=breaker.pk).update(
            open_until=(breaker.open_until or timezone.now()) - minute
        )
    for organization in Organization.objects.all():
        duty_runs.perform(Duty.REQUEUE_WAITING, organization)
        duty_runs.perform(Duty.RETRY_REFUSED_KEY, organization)
    worker.work()


@pytest.fixture
def pending_invitations(scenario, sandbox):
    """Pending invitations of several candidates."""
    return [scenario.pending_invitation(word) for word in seeded_candidates(sandbox)]


def seeded_candidates(sandbox):
    """Return the names of candidates that the sandbox's Lever has."""
    opportunities = sandbox.lever.accounts["acme"].opportunities
    return [word for word in WORDS if sandbox.opportunity_id(word) in opportunities]


def test_no_attempt_is_counted_while_the_codescreen_key_is_revoked(scenario, pending_invitations):
    assert len(pending_invitations) >= 2
    scenario.codescreen_fails(status=401, path="/api/", method="", times=1000)
    scenario.work()
    assert CodeScreenConnection.objects.get().state == "refused"
    first_calls = ApiCall.objects.filter(status=401).count()
    assert first_calls <= 2
    for _ in range(MINUTES):
        minute_passes()
    later_calls = ApiCall.objects.filter(status=401).count() - first_calls
    assert later_calls <= 2 * MINUTES  # a probe every thirty seconds at most
    waiting = Effect.objects.filter(kind="send_invitation")
    assert {(row.state, row.attempts, row.consecutive_crashes) for row in waiting} == {("due", 0, 0)}
    notices = Effect.objects.filter(kind="send_email").exclude(email_topic=EmailTopic.RESULT)
    assert notices.count() <= 1
    scenario.sandbox.codescreen_does("faults", rules=[])
    minute_passes()
    minute_passes()
    assert {scenario.reread(row).status for row in pending_invitations} == {"invited"}
    assert scenario.sandbox.invitations_sent() == len(pending_invitations)


@pytest.mark.parametrize("call", ["send", "status"])
def test_a_refusal_of_the_former_key_does_not_mark_the_newly_saved_key(
    scenario, sandbox, super_admin, monkeypatch, call
):
    is_about_status = call == "status"
    invitation = scenario.sent_invitation() if is_about_status else scenario.pending_invitation()
    key = CodeScreenConnection.objects.get().api_key

    def refuse_after_new_key(*_: Any) -> None:
        CodeScreenConnection.objects.update(state="refused")  # another worker has marked the former key
        save_codescreen_key(scenario.organization, key, super_admin)
        raise PlatformError("CodeScreen answered 401", status=401, permanent=True)

    with monkeypatch.context() as patch:
        patch.setattr(CodeScreenClient, call, refuse_after_new_key)
        scenario.poll() if is_about_status else scenario.work()
    assert CodeScreenConnection.objects.get().is_working
    if not is_about_status:  # saving made waiting effects due, and this one was being sent
        assert scenario.latest_effect().due_at - timezone.now() <= steps.FIRST_RETRY
    scenario.work_waiting()
    assert (scenario.reread(invitation).status, sandbox.invitations_sent("alder@candidates.example")) == (
        "invited",
        1,
    )
