"""What is stored about calls: each call, circuit breakers, rate limits."""

import time
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Self

from django.db import connection, models
from django.db.models.functions import Coalesce, Now

from integrations.organizations.models.organization import Organization
from integrations.store import database
from integrations.store.columns import (
    WITH_ORGANIZATION,
    Holds,
    about_candidate,
    harmless,
    index_of_set,
    moment,
)

#: How many latest calls about one candidate, or about none, are searched for an earlier call of the same request.
LOOKED_THROUGH = 20
#: Calls, and what webhooks say beside ids and times, go after so long, unless a candidate's invitation needs them.
RECORDS_KEPT_FOR = timedelta(days=90)


FIRST_SERVER_ERROR = 500


def reason_of(status: int | None, error: str) -> str:
    """Return why a call counts as unanswered: of an answer the status alone, since its words may name people."""
    return f"it answered {status}" if status else error


class ApiCallQuerySet(models.QuerySet["ApiCall"]):
    """Calls by their answer, and how often it came again."""

    def unanswered(self) -> Self:
        """Calls that the platform didn't answer, or answered with an error of its own."""
        return self.filter(models.Q(status__isnull=True) | models.Q(status__gte=FIRST_SERVER_ERROR))

    def count_repeat(self, call: "ApiCall") -> bool:
        """Count an unstored call on the latest one of the same request; False when it has to be stored.

        A call is counted when it is a successful read for no effect or delivery, such as by a poll or a sweep, and its
        answer is the same as the last time.
        """
        if call.effect_id or call.delivery_id or call.method != "GET" or call.status != HTTPStatus.OK:
            return False
        latest = self.filter(organization=call.organization_id, opportunity_id=call.opportunity_id)
        latest = latest.order_by("-at", "-pk")[:LOOKED_THROUGH]
        request = (call.platform, call.method, call.path)
        for pk, *other in latest.values_list("pk", "platform", "method", "path"):
            if tuple(other) == request:
                same = self.filter(pk=pk, effect=None, delivery=None, status=call.status, error="")
                answered = same.filter(response_body=call.response_body)
                return bool(answered.update(repeats=models.F("repeats") + 1, last_at=call.at))
        return False


class ApiCall(models.Model):
    """One request with its answer: time, status, duration, attempt; the bodies are redacted.

    The same answer to a later poll or sweep is counted here instead of stored as one more row.
    """

    HOLDS = Holds(
        "the portal's requests to Lever and CodeScreen, without names, addresses and secrets",
        f"{RECORDS_KEPT_FOR.days} days; calls of an invited candidate until the person is erased",
        opportunity="opportunity_id",
    )

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="calls", db_index=False
    )
    effect = models.ForeignKey(
        "integrations.Effect",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="calls",
        db_index=False,
    )
    delivery = models.ForeignKey(
        "integrations.Delivery",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="calls",
        db_index=False,
    )
    platform = harmless(models.CharField(max_length=20))
    method = harmless(models.CharField(max_length=10))
    path = about_candidate(
        "the address that was called, where it names a person", models.CharField(max_length=1000)
    )
    status = models.SmallIntegerField(null=True, blank=True, help_text="Empty when no answer came.")
    duration_ms = models.IntegerField()
    attempt = models.IntegerField(default=1)
    correlation_id = harmless(models.CharField(max_length=40))
    opportunity_id = harmless(models.CharField(max_length=200, blank=True))
    request_body = about_candidate("what was sent, such as tags and notes", models.TextField(blank=True))
    response_body = about_candidate(
        "what was answered, such as tags and stages", models.TextField(blank=True)
    )
    error = about_candidate("a platform's error message", models.TextField(blank=True))
    at = models.DateTimeField(db_default=Now())
    repeats = models.IntegerField(default=0, help_text="How often the same answer came again.")
    last_at = moment("When the same answer came last; empty if it came once.")

    objects = ApiCallQuerySet.as_manager()

    class Meta:
        verbose_name = "API call"
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(repeats=0, last_at__isnull=True)
                | models.Q(repeats__gt=0, last_at__isnull=False),
                name="api_call_repeats_have_time",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-at"], name="api_call_recent"),
            models.Index(fields=["-at"], name="api_call_recent_of_all"),
            # the organization second, so that it serves operators too, who see all organizations
            models.Index(fields=["opportunity_id", "organization", "-at"], name="api_call_opportunity"),
            # no db_index=True: PostgreSQL would get a second index, for a LIKE that nobody asks
            models.Index(fields=["correlation_id"], name="api_call_correlation"),
            index_of_set("api_call_effect", "effect"),
            index_of_set("api_call_delivery", "delivery"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status or self.error}"


#: What was found in order isn't looked up again for so long: another process may have found a failure meanwhile.
REMEMBERED_SECONDS = 1.0

#: By organization and platform, until when (monotonic clock) this process takes it for answering.
_answering_until: dict[tuple[int, str], float] = {}


def forget() -> None:
    """Forget which platforms answer, so that the next call looks it up."""
    _answering_until.clear()


class CircuitBreakerQuerySet(models.QuerySet["CircuitBreaker"]):
    """Circuit breakers by whether they are open."""

    def opened(self) -> Self:
        return self.filter(failures__gte=CircuitBreaker.FAILURES_TO_OPEN)


class CircuitBreaker(models.Model):
    """Whether one organization's platform answers. While it doesn't, single calls probe it and the others wait.

    There is a row once a call wasn't answered.
    """

    HOLDS = Holds("whether a platform answers", WITH_ORGANIZATION)

    FAILURES_TO_OPEN = 5
    FIRST_PAUSE_SECONDS = 30
    LONGEST_PAUSE_SECONDS = 300

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="circuit_breakers"
    )
    platform = harmless(models.CharField(max_length=20))
    failures = models.PositiveIntegerField(
        default=0, help_text="Calls in a row that the platform didn't answer."
    )
    open_until = moment("When the next call may probe the platform.")
    failing_since = moment("When the first of these calls was made; empty while the platform answers.")
    answered_at = moment("When the platform answered the first call after some that it hadn't answered.")

    objects = CircuitBreakerQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "connection status"
        constraints = [
            models.UniqueConstraint(fields=["organization", "platform"], name="circuit_breaker_once")
        ]

    def __str__(self) -> str:
        return f"{self.platform} of {self.organization}"

    @property
    def is_open(self) -> bool:
        return self.failures >= self.FAILURES_TO_OPEN

    @property
    def pause(self) -> timedelta:
        """How long to wait between probes: twice as long after each failed one, up to LONGEST_PAUSE_SECONDS."""
        doublings = min(max(0, self.failures - self.FAILURES_TO_OPEN), 6)
        return timedelta(seconds=min(self.FIRST_PAUSE_SECONDS * 2.0**doublings, self.LONGEST_PAUSE_SECONDS))

    @classmethod
    def admit(cls, organization: "Organization", platform: str) -> float:
        """Return 0 when a call may be made, else the seconds to wait.

        After each pause one caller is admitted as the probe; the others wait for another pause.
        """
        if _is_answering(organization, platform):
            return 0.0
        breaker = cls._failing(organization, platform).first()
        if breaker is None:
            _remember_answering(organization, platform)
            return 0.0
        if not breaker.is_open:
            return 0.0
        is_over = models.Q(open_until__isnull=True) | models.Q(open_until__lt=Now())
        if cls.objects.filter(is_over, pk=breaker.pk).update(open_until=Now() + breaker.pause):
            return 0.0
        return breaker.pause.total_seconds()

    @classmethod
    def record(cls, organization: "Organization", platform: str, at: datetime, *, is_answer: bool) -> bool:
        """Count a call of that time: any answer but a 5xx closes the breaker; FAILURES_TO_OPEN in a row open it.

        Return whether it is open now.
        """
        if is_answer:
            if not _is_answering(organization, platform):
                cls._failing(organization, platform).update(
                    failures=0, open_until=None, failing_since=None, answered_at=at
                )
                _remember_answering(organization, platform)
            return False
        rows = cls.objects.filter(organization=organization, platform=platform)
        _answering_until.pop((organization.pk, platform), None)
        breaker, _ = cls.objects.get_or_create(organization=organization, platform=platform)
        rows.update(failures=models.F("failures") + 1, failing_since=Coalesce("failing_since", at))
        breaker.refresh_from_db()
        if breaker.failures == cls.FAILURES_TO_OPEN:
            rows.update(open_until=Now() + breaker.pause)
        return breaker.is_open

    @classmethod
    def _failing(cls, organization: "Organization", platform: str) -> "models.QuerySet[CircuitBreaker]":
        return cls.objects.filter(organization=organization, platform=platform, failures__gt=0)


def _is_answering(organization: "Organization", platform: str) -> bool:
    return time.monotonic() < _answering_until.get((organization.pk, platform), 0.0)


def _remember_answering(organization: "Organization", platform: str) -> None:
    _answering_until[organization.pk, platform] = time.monotonic() + REMEMBERED_SECONDS


#: Reservations are never taken to reach further ahead than this beyond the burst: a clock that was once ahead may have
#: written a time that is years away.
LONGEST_AHEAD_SECONDS = 60.0


class RateLimitBucket(models.Model):
    """The rate limit of one customer's account, when there is no Redis."""

    HOLDS = Holds("how many calls may still be made", "until it is full again")

    key = harmless(models.CharField(max_length=200, primary_key=True))
    free_at = models.FloatField(help_text="Unix seconds from which the account's whole burst is free again.")

    def __str__(self) -> str:
        return self.key

    @classmethod
    def reserve(cls, key: str, interval: float, burst: int, extra: float = 0.0) -> float:
        """Reserve the next call for `key`. Return the seconds to wait before making it.

        GCRA: calls are `interval` seconds apart when busy, and `burst` of them may be made at once after a pause.
        `extra` seconds are reserved besides, which delays every later caller. One statement by the database's clock,
        so that any number of processes and nodes share the limit.
        """
        clock = database.unix_seconds()
        greatest, least = ("GREATEST", "LEAST") if connection.vendor == "postgresql" else ("MAX", "MIN")
        table = connection.ops.quote_name(cls._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (key, free_at) VALUES (%s, {clock} + %s) "  # noqa: S608
                f"ON CONFLICT (key) DO UPDATE SET "
                f"free_at = {greatest}({least}({table}.free_at, {clock} + %s), {clock}) + %s "
                f"RETURNING free_at - {clock}",
                [key, interval + extra, interval * burst + LONGEST_AHEAD_SECONDS, interval + extra],
            )
            reserved_seconds = float(cursor.fetchone()[0])
        return max(0.0, reserved_seconds - interval * burst)
