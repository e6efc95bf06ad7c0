"""The slots that all calls of a Lever account share."""

import itertools
import time
from unittest import mock

import pytest
import redis
from django.db.models import F

from integrations.clients import limits
from integrations.clients.models import LONGEST_AHEAD_SECONDS, RateLimitBucket
from portal.devtools import test_suites
from tests.support.at_once import run_at_once

INTERVAL, BURST = 1 / 9.9, 18
YEAR_SECONDS = 365 * 86400.0


def test_a_burst_is_free_and_then_slots_are_a_tenth_of_a_second_apart(db):
    began = time.monotonic()
    waits = [RateLimitBucket.reserve("lever:1", INTERVAL, BURST) for _ in range(30)]
    elapsed = time.monotonic() - began
    assert waits[:BURST] == [0.0] * BURST
    steps = [later - earlier for earlier, later in itertools.pairwise(waits[BURST:])]
    # the time that passes between two reservations shortens the later one's wait
    assert all(step < INTERVAL + 0.002 for step in steps), steps
    assert 12 * INTERVAL - elapsed - 0.002 <= waits[-1] <= 12 * INTERVAL + 0.001


def test_accounts_do_not_wait_for_each_other(db):
    for _ in range(25):
        RateLimitBucket.reserve("lever:1", INTERVAL, BURST)
    assert RateLimitBucket.reserve("lever:2", INTERVAL, BURST) == 0.0


def test_an_idle_account_regains_the_burst_and_no_more(db):
    for _ in range(25):
        RateLimitBucket.reserve("lever:1", INTERVAL, BURST)
    RateLimitBucket.objects.update(free_at=1.0)
    waits = [RateLimitBucket.reserve("lever:1", INTERVAL, BURST) for _ in range(30)]
    assert waits[:BURST] == [0.0] * BURST
    assert waits[-1] > 0.1


def test_a_reservation_by_a_clock_that_was_ahead_holds_calls_up_for_a_minute_at_most(db):
    RateLimitBucket.reserve("lever:1", INTERVAL, BURST)
    RateLimitBucket.objects.update(free_at=F("free_at") + YEAR_SECONDS)
    assert RateLimitBucket.reserve("lever:1", INTERVAL, BURST) <= LONGEST_AHEAD_SECONDS + 1


@pytest.mark.redis
def test_redis_too_holds_calls_up_for_a_minute_at_most(settings):
    settings.REDIS_URL = test_suites.REDIS_URL
    server = redis.Redis.from_url(settings.REDIS_URL)
    server.set("pace:test:ahead", time.time() + YEAR_SECONDS, ex=60)
    assert limits.reserve_slot("test:ahead") <= LONGEST_AHEAD_SECONDS + 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_share_the_slots(db):
    waits: list[float] = []

    def work():
        waits.extend(RateLimitBucket.reserve("lever:1", INTERVAL, BURST) for _ in range(10))

    began = time.time()
    assert run_at_once(work) == []
    assert len(waits) == 40
    # forty slots: eighteen are free at once, and none is given twice
    assert RateLimitBucket.objects.get(pk="lever:1").free_at >= began + 40 * INTERVAL - 0.1
    assert sum(wait == 0.0 for wait in waits) < 30


@pytest.mark.redis
def test_redis_limits_like_the_database(settings):
    settings.REDIS_URL = test_suites.REDIS_URL
    key = f"test:{time.time()}"
    waits = [limits.reserve_slot(key) for _ in range(30)]
    assert waits[:BURST] == [0.0] * BURST
    assert 1.0 < waits[-1] <= 12 * INTERVAL + 0.001
    for _ in range(5):
        limits.release_slot(key)
    assert limits.reserve_slot(key) < waits[-4]


def test_the_database_limits_when_redis_is_unreachable_and_redis_is_not_asked_for_a_while(
    db, settings, monkeypatch
):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    script = mock.Mock(wraps=limits._reserve_in_redis())
    monkeypatch.setattr(limits, "_reserve_in_redis", lambda: script)
    waits = [limits.reserve_slot("lever:1") for _ in range(BURST + 12)]
    assert waits[:BURST] == [0.0] * BURST
    assert waits[-1] > 0.1
    assert RateLimitBucket.objects.filter(pk="lever:1").exists()
    assert script.call_count == 1
    monkeypatch.setattr(limits, "_redis_again_at", 0.0)
    limits.reserve_slot("lever:1")
    assert script.call_count == 2
