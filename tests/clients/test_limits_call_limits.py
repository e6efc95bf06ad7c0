"""What every call passes: the time for calls, the circuit breaker, then the rate limit."""

import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from integrations.clients import limits, provider
from integrations.clients import models as client_models
from integrations.clients.limits import CallLimits, reserve_slot
from integrations.clients.models import ApiCall, CircuitBreaker
from integrations.http import deadlines
from integrations.http.session import CallDeferred, PlatformError
from integrations.queue import worker
from portal.process.supervisor import STOP_SECONDS
from tests.clients.conftest import API
from tests.support import factories


def test_a_429_slows_down_all_calls_of_the_account(lever_api, grant):
    lever_api.get(f"{API}/stages", status=429, headers={"Retry-After": "2"})
    with pytest.raises(PlatformError) as raised:
        provider.lever_client(grant.organization).stages()
    assert (raised.value.permanent, raised.value.retry_after) == (False, 2.0)
    key = f"lever:{grant.lever_account_id}"
    waits = [reserve_slot(key) for _ in range(6)]
    assert waits[-1] > 0.0


def test_a_call_is_deferred_when_its_slot_is_far_away(grant):
    key = f"lever:{grant.lever_account_id}"
    reserve_slot(key, 60.0)
    with pytest.raises(CallDeferred) as raised:
        provider.lever_client(grant.organization).stages()
    assert 55 < (raised.value.retry_after or 0) < 61
    effect = factories.EffectFactory(organization=grant.organization)
    worker.work()
    effect.refresh_from_db()
    assert (effect.state, effect.attempts) == ("due", 0)
    assert timedelta(seconds=50) < effect.due_at - timezone.now() < timedelta(seconds=70)
    assert not ApiCall.objects.exists()


def test_a_released_slot_does_not_lengthen_other_waits(grant):
    key = f"lever:{grant.lever_account_id}"
    reserve_slot(key, 60.0)
    limits = CallLimits(grant.organization, "lever", key)
    waits = []
    for _ in range(20):
        with pytest.raises(CallDeferred) as raised:
            limits.wait()
        waits.append(raised.value.retry_after or 0.0)
    assert 0 < waits[-1] <= waits[0]


def call_stages(grant):
    """Make one call to Lever."""
    provider.lever_client(grant.organization).stages()


@pytest.mark.parametrize("status", [500, 503])
def test_calls_are_deferred_when_the_platform_keeps_failing(lever_api, grant, status):
    lever_api.get(f"{API}/stages", status=status)
    for _ in range(CircuitBreaker.FAILURES_TO_OPEN):
        with pytest.raises(PlatformError):
            call_stages(grant)
    with pytest.raises(CallDeferred) as raised:
        call_stages(grant)
    assert (raised.value.retry_after or 0) >= 30
    assert len(lever_api.calls) == CircuitBreaker.FAILURES_TO_OPEN


def test_one_probe_is_admitted_when_the_pause_is_over(lever_api, grant):
    breaker = CircuitBreaker.objects.create(organization=grant.organization, platform="lever", failures=7)
    CircuitBreaker.objects.filter(pk=breaker.pk).update(open_until=timezone.now() - timedelta(seconds=1))
    lever_api.get(f"{API}/stages", status=502)
    with pytest.raises(PlatformError):
        call_stages(grant)
    with pytest.raises(CallDeferred):
        call_stages(grant)
    assert len(lever_api.calls) == 1


def test_an_answer_closes_the_breaker_and_another_organizations_holds_up_no_call(lever_api, grant):
    CircuitBreaker.objects.create(organization=grant.organization, platform="lever", failures=9)
    later = timezone.now() + timedelta(hours=1)
    other = factories.OrganizationFactory.create()
    CircuitBreaker.objects.create(organization=other, platform="lever", failures=9, open_until=later)
    lever_api.get(f"{API}/stages", json={"data": []})
    call_stages(grant)
    call_stages(grant)
    assert CircuitBreaker.objects.get(organization=grant.organization).failures == 0


def test_a_403_keeps_the_breaker_closed(lever_api, grant):
    lever_api.get(f"{API}/stages", status=403)
    for _ in range(CircuitBreaker.FAILURES_TO_OPEN + 2):
        with pytest.raises(PlatformError):
            call_stages(grant)
    assert not CircuitBreaker.objects.filter(failures__gt=0).exists()


def test_a_breaker_that_another_process_opened_is_seen_a_moment_later(lever_api, grant, monkeypatch):
    lever_api.get(f"{API}/stages", json={"data": []})
    call_stages(grant)
    CircuitBreaker.objects.create(organization=grant.organization, platform="lever", failures=9)
    CircuitBreaker.objects.update(open_until=timezone.now() + timedelta(minutes=1))
    call_stages(grant)
    a_moment_later = time.monotonic() + 2 * client_models.REMEMBERED_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: a_moment_later)
    with pytest.raises(CallDeferred):
        CallLimits(grant.organization, "lever").wait()


def test_no_breaker_is_read_twice_within_a_second_while_the_platform_answers(
    organization, django_assert_num_queries
):
    limits = CallLimits(organization, "codescreen")
    limits.wait()
    with django_assert_num_queries(0):
        limits.wait()
        CallLimits(organization, "codescreen").wait()
    CircuitBreaker.record(organization, "codescreen", timezone.now(), is_answer=False)
    with django_assert_num_queries(1):
        limits.wait()


# the time for calls


def test_calls_are_refused_when_the_threads_time_is_up():
    with limits.calls_only_until(time.monotonic() + 60):
        limits.require_time_for_calls()
        with limits.calls_only_until(time.monotonic() - 1), pytest.raises(CallDeferred):
            limits.require_time_for_calls()
        limits.require_time_for_calls()


def test_the_longest_call_ends_before_the_supervisor_kills():
    assert deadlines.CONNECT_SECONDS + settings.PLATFORM_READ_SECONDS < STOP_SECONDS
