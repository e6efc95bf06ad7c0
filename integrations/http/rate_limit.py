"""Whose turn it is to call a platform: a shared reservation per call, and a breaker for a platform that is down."""

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings

from integrations.http.errors import CallDeferred
from integrations.http.session import CallRecord
from integrations.models import CircuitBreaker, Organization, RateLimitBucket

logger = logging.getLogger(__name__)

LONGEST_WAIT = 15.0
COOL_DOWN_SECONDS = 1.5
#: For how long a Redis that didn't answer isn't asked: each call would wait for it.
REDIS_AWAY_SECONDS = 5.0
_redis_again_at = 0.0

# GCRA by Redis' own clock: the slot's distance in seconds, before the burst is taken off
_RESERVE = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local free_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.6f', free_at), 'EX', 3600)
return string.format('%.6f', free_at - now)
"""


class RateLimiter:
    """What every call of one organization to one platform passes: before it `wait()`, after it `note()`.

    `bucket` names the account whose rate limit is shared by all processes and nodes; empty where no limit is known.
    """

    def __init__(self, organization: Organization, platform: str, bucket: str = "") -> None:
        self._bucket = bucket
        self._breaker, _ = CircuitBreaker.objects.get_or_create(organization=organization, platform=platform)

    def wait(self) -> None:
        """Sleep until the call's slot. Raises PacedOut when a lease shouldn't wait for it that long."""
        seconds = self._breaker.admit()
        if seconds:
            raise CallDeferred(
                seconds, f"{self._breaker.platform} isn't answering; it is asked again now and then"
            )
        if not self._bucket:
            return
        seconds = reserve_slot(self._bucket)
        if seconds > LONGEST_WAIT:
            # a slot that nobody comes for would keep many rows that take turns to look from ever having theirs
            release_slot(self._bucket)
            raise CallDeferred(seconds, "waiting for a free slot of the account's rate limit")
        if seconds > 0:
            time.sleep(seconds)

    def observe(self, call: CallRecord) -> None:
        """Learn from how a call went; a 429 slows down everybody who shares the account."""
        self._breaker.record(is_answer=call.status is not None and call.status < 500)
        if call.status == 429 and self._bucket:
            reserve_slot(self._bucket, COOL_DOWN_SECONDS)


def reserve_slot(bucket: str, extra: float = 0.0) -> float:
    """Reserve the next call's slot and return the seconds until it; `extra` seconds are taken from everybody."""
    interval, burst = 1 / settings.LEVER_RATE, settings.LEVER_BURST
    global _redis_again_at  # noqa: PLW0603
    if settings.REDIS_URL and time.monotonic() >= _redis_again_at:
        try:
            answer: Any = _reserve_in_redis()(keys=[f"pace:{bucket}"], args=[f"{interval + extra:.6f}"])
            return max(0.0, float(answer) - interval * burst)
        except redis.RedisError:
            logger.warning("Redis is away: pacing by the database")
            _redis_again_at = time.monotonic() + REDIS_AWAY_SECONDS
    return RateLimitBucket.reserve(bucket, interval, burst, extra)


def release_slot(bucket: str) -> None:
    """Return the slot that was reserved last and is still to come."""
    reserve_slot(bucket, -2 / settings.LEVER_RATE)  # of which reserving takes one itself


@lru_cache(maxsize=1)
def _reserve_in_redis() -> Callable[..., Any]:
    server = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    return server.register_script(_RESERVE)
