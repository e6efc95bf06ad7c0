"""Whether a call may be made now: until when a worker may begin one, the circuit breaker, the account's rate limit."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings

from integrations.clients.models import LONGEST_AHEAD_SECONDS, CircuitBreaker, RateLimitBucket, reason_of
from integrations.http import stop_signal
from integrations.http.session import CallDeferred, CallRecord
from integrations.organizations.models.organization import Organization

logger = logging.getLogger(__name__)

# Until when: a call cut off by the worker's end would have an unknown outcome.


STOPPING = "The portal is being stopped."
TIME_IS_UP = "The worker has no time left for another call."
#: A call that couldn't begin is tried again after so long: workers have other things to do meanwhile.
AGAIN_AFTER_SECONDS = 1.0


class _Window(threading.local):
    closes_at: float | None = None


_window = _Window()


@contextmanager
def calls_only_until(closes_at: float) -> Iterator[None]:
    """Let this thread begin calls only before `closes_at`, by the monotonic clock."""
    former = _window.closes_at
    _window.closes_at = closes_at
    try:
        yield
    finally:
        _window.closes_at = former


def require_time_for_calls() -> None:
    """Raise CallDeferred when a stop was requested, or when this thread's time for calls is over."""
    if stop_signal.is_requested():
        raise CallDeferred(AGAIN_AFTER_SECONDS, STOPPING)
    if _window.closes_at is not None and time.monotonic() > _window.closes_at:
        raise CallDeferred(AGAIN_AFTER_SECONDS, TIME_IS_UP)


# How many: by one organization to one platform.


#: After a 429 all callers that share the account wait for so much longer.
COOL_DOWN_SECONDS = 1.5
#: A call waits no longer for its slot: its row is worked again when the slot is near.
LONGEST_WAIT = 15.0
NO_ANSWER = "{platform} isn't answering; it is asked again now and then"
NO_SLOT = "waiting for a free slot of the account's rate limit"
#: After a failure Redis isn't used for this long, since each call would wait for it.
REDIS_PAUSE_SECONDS = 5.0
_redis_again_at = 0.0

# by Redis' own clock: the seconds until the slot, before the burst is subtracted; ARGV[2] bounds how far ahead it is
_RESERVE = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local reserved = math.min(tonumber(redis.call('GET', KEYS[1]) or '0'), now + tonumber(ARGV[2]))
local free_at = math.max(reserved, now) + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.6f', free_at), 'EX', 3600)
return string.format('%.6f', free_at - now)
"""


def reserve_slot(bucket: str, extra: float = 0.0) -> float:
    """Reserve the next call's slot and return the seconds until it; `extra` seconds delay all callers.

    There is one reservation per call (GCRA), which all processes and nodes share: in Redis, or else in the database.
    """
    interval, burst = 1 / settings.LEVER_RATE, settings.LEVER_BURST
    global _redis_again_at  # noqa: PLW0603
    if settings.REDIS_URL and time.monotonic() >= _redis_again_at:
        try:
            longest = interval * burst + LONGEST_AHEAD_SECONDS
            arguments = [f"{interval + extra:.6f}", f"{longest:.6f}"]
            answer: Any = _reserve_in_redis()(keys=[f"pace:{bucket}"], args=arguments)
            return max(0.0, float(answer) - interval * burst)
        except redis.RedisError:
            logger.warning("Redis is unreachable: the database limits the rate", exc_info=True)
            _redis_again_at = time.monotonic() + REDIS_PAUSE_SECONDS
    return RateLimitBucket.reserve(bucket, interval, burst, extra)


def release_slot(bucket: str) -> None:
    """Return the slot that was reserved last and is still to come."""
    reserve_slot(bucket, -2 / settings.LEVER_RATE)  # minus two, because reserving adds one


@lru_cache(maxsize=1)
def _reserve_in_redis() -> Callable[..., Any]:
    server = redis.Redis.from_url(settings.REDIS_URL, **settings.REDIS_OPTIONS)
    return server.register_script(_RESERVE)


class CallLimits:
    """The limits on one organization's calls to one platform.

    `bucket` names the account whose rate limit all processes and nodes share; empty where no limit is known.
    """

    def __init__(self, organization: Organization, platform: str, bucket: str = "") -> None:
        self._organization, self._platform, self._bucket = organization, platform, bucket

    def wait(self) -> None:
        """Sleep until the call may be made, or a stop is requested.

        Raises CallDeferred when that takes longer than LONGEST_WAIT seconds, and when the worker is about to end.
        """
        require_time_for_calls()
        seconds = CircuitBreaker.admit(self._organization, self._platform)
        if seconds:
            raise CallDeferred(seconds, NO_ANSWER.format(platform=self._platform))
        seconds = reserve_slot(self._bucket) if self._bucket else 0.0
        if seconds > LONGEST_WAIT:
            # release unused slots, or the rows that wait for one starve
            release_slot(self._bucket)
            raise CallDeferred(seconds, NO_SLOT)
        if seconds > 0:
            stop_signal.wait(seconds)
            require_time_for_calls()

    def observe(self, call: CallRecord, at: datetime) -> None:
        """Record a call in the circuit breaker; after a 429 all callers that share the account are slowed down."""
        is_answer = call.status is not None and call.status < 500
        if CircuitBreaker.record(self._organization, self._platform, at, is_answer=is_answer):
            reason = reason_of(call.status, call.error)
            logger.warning("%s doesn't work: %s", self._platform, reason, extra={"outage": self._platform})
        if call.status == 429 and self._bucket:
            reserve_slot(self._bucket, COOL_DOWN_SECONDS)
