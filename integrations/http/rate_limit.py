"""The rate limit of a Lever account: one reservation per call, shared by all processes and nodes (GCRA)."""

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings

from integrations.models import RateLimitBucket
from integrations.models.rate_limit_bucket import LONGEST_AHEAD_SECONDS

logger = logging.getLogger(__name__)

COOL_DOWN_SECONDS = 1.5
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
    """Reserve the next call's slot and return the seconds until it; `extra` seconds delay all callers."""
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
