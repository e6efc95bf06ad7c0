"""What happens before and after each call of a step: limits, the row's lease, the record, deviations."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import F
from django.db.models.functions import Now

from integrations import stop_signal
from integrations.clients import call_log, call_window
from integrations.clients.models import (
    LONGEST_AHEAD_SECONDS,
    ApiCall,
    CircuitBreaker,
    RateLimitBucket,
    ShapeDeviation,
)
from integrations.core import correlation
from integrations.http.session import CallDeferred, CallRecord
from integrations.http.shapes import Deviation
from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.store import database
from integrations.store.leasing import LEASE, RENEW_AFTER_SECONDS, TAKEN_OVER, masked_traceback

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CallContext:
    """The row that the calls are made for, and the candidate; all calls of a step share the correlation id."""

    effect: Effect | None = None
    delivery: Delivery | None = None
    #: The opportunity that calls without a row are made for.
    opportunity_without_row: str = ""
    correlation_id: str = field(default_factory=correlation.current_or_new)

    @property
    def row(self) -> Effect | Delivery | None:
        """The leased row that the calls are made for, None when there is none."""
        return self.effect or self.delivery

    @property
    def opportunity_id(self) -> str:
        """The opportunity that the calls are made for, empty for none: they are shown and erased with its candidate."""
        return self.row.opportunity_id if self.row else self.opportunity_without_row

    @property
    def attempt(self) -> int:
        """Which try of the row the calls belong to, from 1."""
        return max(1, self.row.attempts) if self.row else 1


COUNT_EVERY = timedelta(minutes=1)


def record_deviations(
    organization: Organization, platform: str, endpoint: str, deviations: Iterable[Deviation]
) -> None:
    """Record each deviation for the doctor. One that can't be recorded is only logged: the answer itself is used."""
    for deviation in deviations:
        try:
            _count(organization, platform, endpoint, deviation)
        except (DatabaseError, InterfaceError) as error:
            lost = "a deviation of %s %s could not be recorded\n%s"
            logger.error(lost, platform, endpoint, masked_traceback(error))


def _count(organization: Organization, platform: str, endpoint: str, deviation: Deviation) -> None:
    """Count one deviation: one row each and at most one write a minute, however many answers arrive."""
    shape = {"organization": organization, "platform": platform, "endpoint": endpoint}
    rows = ShapeDeviation.objects.filter(**shape, field=deviation.field, found=deviation.found)
    if rows.filter(last_seen_at__gte=Now() - COUNT_EVERY).exists():
        return
    said = {"expected": deviation.expected, "is_readable": deviation.is_readable}
    with transaction.atomic():
        was_counted = rows.filter(last_seen_at__lt=Now() - COUNT_EVERY).update(
            count=F("count") + 1, last_seen_at=Now(), **said
        )
        if not was_counted:
            row = ShapeDeviation(**shape, **asdict(deviation))
            ShapeDeviation.objects.bulk_create([row], ignore_conflicts=True)


# The rate limit of a Lever account: one reservation per call, shared by all processes and nodes (GCRA).


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


LONGEST_WAIT = 15.0
NO_ANSWER = "{platform} isn't answering; it is asked again now and then"
NO_SLOT = "waiting for a free slot of the account's rate limit"


# What happens before and after each call: the limits, the row's lease, the record of the call.


class CallLimits:
    """The limits on one organization's calls to one platform.

    `bucket` names the account whose rate limit all processes and nodes share; empty where no limit is known.
    """

    def __init__(self, organization: Organization, platform: str, bucket: str = "") -> None:
        self._organization, self._platform, self._bucket = organization, platform, bucket

    def wait(self) -> None:
        """Sleep until the call may be made, or a stop is requested.

        Raises CallDeferred when that takes longer than LONGEST_WAIT seconds.
        """
        seconds = CircuitBreaker.admit(self._organization, self._platform)
        if seconds:
            raise CallDeferred(seconds, NO_ANSWER.format(platform=self._platform))
        if not self._bucket:
            return
        seconds = reserve_slot(self._bucket)
        if seconds > LONGEST_WAIT:
            # release unused slots, or the rows that wait for one starve
            release_slot(self._bucket)
            raise CallDeferred(seconds, NO_SLOT)
        if seconds > 0:
            stop_signal.wait(seconds)

    def observe(self, call: CallRecord) -> None:
        """Record a call in the circuit breaker; after a 429 all callers that share the account are slowed down."""
        is_answer = call.status is not None and call.status < 500
        CircuitBreaker.record(self._organization, self._platform, is_answer)
        if call.status == 429 and self._bucket:
            reserve_slot(self._bucket, COOL_DOWN_SECONDS)


AfterCall = Callable[[CallRecord], None]


def before_call(limits: CallLimits, context: CallContext) -> Callable[[], None]:
    """Return a hook that waits until a call may be made, and renews the lease of the row that it is made for.

    A step of several slow calls would outlive its lease, which is short so that a killed worker's rows are claimed
    again soon. The hook raises CallDeferred when another worker has taken the row over, and when the worker that
    makes the call is about to end.
    """

    def wait() -> None:
        call_window.require_open()
        limits.wait()
        call_window.require_open()  # a stop ends the wait
        row = context.row
        if row is None or not row.lease_owner or row.leased_until is None:
            return
        # the lease's age is read from the row, since the step's other client renews it too
        age = LEASE - (row.leased_until - database.now())
        if age >= timedelta(seconds=RENEW_AFTER_SECONDS) and not row.renew():
            raise CallDeferred(call_window.AGAIN_AFTER_SECONDS, TAKEN_OVER)

    return wait


def after_call(
    organization: Organization,
    context: CallContext,
    limits: CallLimits | None = None,
    record_clock_skew: Callable[[float], None] | None = None,
) -> AfterCall:
    """Return a hook that collects an ApiCall for each call, and passes the call to the limits and the clock check.

    How the answer differs from the shape that the portal relies on is recorded too.
    """

    def record(call: CallRecord) -> None:
        try:
            if limits is not None:
                limits.observe(call)
            if record_clock_skew is not None and call.clock_ahead is not None:
                record_clock_skew(call.clock_ahead)
            row = ApiCall(
                organization=organization,
                effect=context.effect,
                delivery=context.delivery,
                opportunity_id=context.opportunity_id[:200],
                attempt=context.attempt,
                correlation_id=context.correlation_id,
                platform=call.platform,
                method=call.method,
                path=call.path[:1000],
                status=call.status,
                duration_ms=call.duration_ms,
                request_body=call.request_body,
                response_body=call.response_body,
                error=call.error,
                at=database.now(),
            )
            call_log.add(row)
            record_deviations(organization, call.platform, call.endpoint, call.deviations)
        except (DatabaseError, InterfaceError) as error:
            # the call was made: the caller must not see an error because something about it was lost
            logger.error("what an API call showed could not be recorded\n%s", masked_traceback(error))

    return record
