"""The slots that all calls of an account share."""

import itertools
import threading
import time
from datetime import timedelta

import pytest
import responses
from django.db import connection as database
from django.utils import timezone

from integrations.clients import provider
from integrations.http import call_limits, rate_limit
from integrations.http.errors import CallDeferred, PlatformError
from integrations.models import ApiCall, CircuitBreaker, Delivery, Effect, RateLimitBucket
from integrations.queue import worker
from portal.devtools import test_suites
from tests import factories

API = "https://api.lever.example/v1"
INTERVAL, BURST = 1 / 9.9, 18


@pytest.fixture
def lever_api(settings):
    """Lever's API, faked at HTTP."""
    settings.LEVER_API_URL = API
    with responses.RequestsMock(assert_all_requests_are_fired=False) as api:
        yield api


@pytest.fixture
def grant(organization, super_admin):
    return factories.LeverConnectionFactory(organization=organization)


def test_a_burst_is_free_and_then_slots_are_a_tenth_of_a_second_apart(db):
    waits = [RateLimitBucket.reserve("lever:1", INTERVAL, BURST) for _ in range(30)]
    assert waits[:BURST] == [0.0] * BURST
    waits_after_burst = waits[BURST:]
    steps = [later - earlier for earlier, later in itertools.pairwise(waits_after_burst)]
    # time passes between two reservations
    assert all(0.08 < step < 0.11 for step in steps), steps
    assert 1.0 < waits_after_burst[-1] <= 12 * INTERVAL + 0.001


def test_accounts_do_not_wait_for_each_other(db):
    for _ in range(25):
        RateLimitBucket.reserve("lever:1", INTERVAL, BURST)
    assert RateLimitBucket.reserve("lever:2", INTERVAL, BURST) == 0.0


def test_an_idle_account_regains_the_burst_and_no_more(db):
    for _ in range(25):
        RateLimitBucket.reserve("lever:1", INTERVAL, BURST)
    RateLimitBucket.objects.update(free_at=1.0)
    waits = [RateLimitBucket.reserve("lever:1", INTERVAL, BURST) for _ in range(20)]
    assert waits[:18] == [0.0] * 18
    assert waits[19] > 0.1


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_share_the_slots(db):
    waits: list[float] = []

    def work():
        try:
            waits.extend(RateLimitBucket.reserve("lever:1", INTERVAL, BURST) for _ in range(10))
        finally:
            database.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(waits) == 40
    # in whichever order: forty slots, eighteen free, and none given twice
    assert max(waits) > 1.5
    assert sum(wait == 0.0 for wait in waits) < 30


def test_a_429_slows_down_all_calls_of_the_account(lever_api, grant):
    lever_api.get(f"{API}/stages", status=429, headers={"Retry-After": "2"})
    with pytest.raises(PlatformError) as raised:
        provider.lever_client(grant.organization).stages()
    assert (raised.value.permanent, raised.value.retry_after) == (False, 2.0)
    key = f"lever:{grant.lever_account_id}"
    waits = [RateLimitBucket.reserve(key, INTERVAL, BURST) for _ in range(6)]
    assert waits[-1] > 0.0


def test_a_call_is_deferred_when_its_slot_is_far_away(grant):
    key = f"lever:{grant.lever_account_id}"
    RateLimitBucket.reserve(key, 60.0, BURST)
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
    RateLimitBucket.reserve(key, 60.0, BURST)
    limits = call_limits.CallLimits(grant.organization, "lever", key)
    waits = []
    for _ in range(20):
        with pytest.raises(CallDeferred) as raised:
            limits.wait()
        waits.append(raised.value.retry_after or 0.0)
    assert 0 < waits[-1] <= waits[0]


@pytest.mark.redis
def test_redis_limits_like_the_database(settings):
    settings.REDIS_URL = test_suites.REDIS_URL
    rate_limit._redis_again_at = 0.0
    rate_limit._reserve_in_redis.cache_clear()
    key = f"test:{time.time()}"
    waits = [rate_limit.reserve_slot(key) for _ in range(30)]
    assert waits[:BURST] == [0.0] * BURST
    assert 1.0 < waits[-1] <= 12 * INTERVAL + 0.001
    for _ in range(5):
        rate_limit.release_slot(key)
    assert rate_limit.reserve_slot(key) < waits[-4]


def test_the_database_limits_when_redis_is_away_and_redis_is_not_asked_for_a_while(db, settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    scripts = []
    rate_limit._reserve_in_redis.cache_clear()
    script = rate_limit._reserve_in_redis()

    def count_script(script_used):
        scripts.append(script_used)
        return script_used

    monkeypatch.setattr(rate_limit, "_redis_again_at", 0.0)
    monkeypatch.setattr(rate_limit, "_reserve_in_redis", lambda: count_script(script))
    waits = [rate_limit.reserve_slot("lever:1") for _ in range(BURST + 2)]
    assert waits[:BURST] == [0.0] * BURST
    assert waits[-1] > 0.1
    assert RateLimitBucket.objects.filter(pk="lever:1").exists()
    assert len(scripts) == 1
    monkeypatch.setattr(rate_limit, "_redis_again_at", 0.0)
    rate_limit.reserve_slot("lever:1")
    assert len(scripts) == 2


# a platform that is down


def call_stages(grant):
    provider.lever_client(grant.organization).stages()


def test_calls_are_deferred_when_the_platform_keeps_failing(lever_api, grant):
    lever_api.get(f"{API}/stages", status=500)
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


def test_an_answer_closes_the_breaker(lever_api, grant):
    CircuitBreaker.objects.create(organization=grant.organization, platform="lever", failures=9)
    lever_api.get(f"{API}/stages", json={"data": []})
    call_stages(grant)
    call_stages(grant)
    assert CircuitBreaker.objects.get().failures == 0


def test_a_503_opens_the_breaker(lever_api, grant):
    lever_api.get(f"{API}/stages", status=503)
    for _ in range(CircuitBreaker.FAILURES_TO_OPEN):
        with pytest.raises(PlatformError):
            call_stages(grant)
    with pytest.raises(CallDeferred):
        call_stages(grant)
    assert len(lever_api.calls) == CircuitBreaker.FAILURES_TO_OPEN


def test_a_403_keeps_the_breaker_closed(lever_api, grant):
    lever_api.get(f"{API}/stages", status=403)
    for _ in range(CircuitBreaker.FAILURES_TO_OPEN + 2):
        with pytest.raises(PlatformError):
            call_stages(grant)
    assert CircuitBreaker.objects.get().failures == 0


def test_another_organizations_breaker_stays_closed(lever_api, grant):
    CircuitBreaker.objects.create(organization=grant.organization, platform="lever", failures=9)
    other = factories.LeverConnectionFactory(lever_account_id="another")
    lever_api.get(f"{API}/stages", json={"data": []})
    call_stages(other)


# whom to serve


@pytest.mark.parametrize("make", [factories.EffectFactory, factories.DeliveryFactory])
def test_the_least_served_organization_is_claimed_first(make, organization):
    for _ in range(5):
        make.create(organization=organization)
    other = make.create(organization=factories.OrganizationFactory.create())
    model = type(other)
    first = factories.claimed(model, "one")
    second = factories.claimed(model, "two")
    assert {first.organization_id, second.organization_id} == {organization.pk, other.organization_id}


def test_effects_do_not_keep_deliveries_waiting(organization):
    for _ in range(5):
        factories.EffectFactory.create(organization=organization)
    factories.DeliveryFactory.create(organization=organization)
    worker.work(deadline=None, most=2)
    assert Delivery.objects.get().verdict
    assert Effect.objects.filter(attempts=0, last_error="").count() == 4
