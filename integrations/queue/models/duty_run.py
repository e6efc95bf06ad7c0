"""The duties of each organization: what is done by the clock, when it is due, and how it went the last time."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models.functions import Now

from integrations.store.columns import Holds, harmless, index_of_set, moment, one_of
from integrations.store.database import due_after
from integrations.store.leasing import Leasable, LeasableQuerySet

#: Longer than one turn of a duty. After that, another worker takes a killed worker's duty.
DUTY_LEASE = timedelta(seconds=120)
#: Runs begin this much of the interval after the last one, so that each organization's next is done within it; they
#: differ, so that organizations which began together spread over the interval.
EARLIEST, LATEST = 0.8, 0.9
RETRY_AFTER = timedelta(minutes=15)
#: How many of the duties that have waited longest a claim tries, which others may be claiming at the moment.
CLAIM_TRIES = 8
#: After this many failures in a row a person should know.
FAILING_FROM = 3
#: A duty that hasn't succeeded for its interval and so many more is overdue.
OVERDUE_INTERVALS = 3


#: Where the next turn of a duty goes on, as JSON holds it; empty when all is done.
type Place = Mapping[str, Any]


class Duty(models.TextChoices):
    """What is done for each organization, at intervals or when something calls for it."""

    SWEEP = "sweep", "Compare with Lever"
    SWEEP_FULLY = "sweep_fully", "Compare everything with Lever"
    REFRESH_LEVER_LISTS = "refresh_lever_lists", "Read Lever's lists"
    REFRESH_ASSESSMENTS = "refresh_assessments", "Read CodeScreen's assessments"
    PROBE_LEVER = "probe_lever", "Check the form and the webhooks in Lever"
    REFRESH_GRANT = "refresh_grant", "Renew the access to Lever"
    WARN_EXPIRY = "warn_expiry", "Warn before the access to Lever ends"
    PURGE = "purge", "Erase what was kept long enough"
    REMOVE_OLD_RECORDS = "remove_old_records", "Delete old calls and webhooks' bodies"
    FOLLOW_ERASURES = "follow_erasures", "Erase who was deleted or anonymized in Lever"
    UPDATE_INCIDENTS = "update_incidents", "Begin and end incidents"
    REQUEUE_WAITING = "requeue_waiting", "Go on with what waited"
    NOTE_WAITS = "note_waits", "Write notes about who waits"
    RETRY_REFUSED_KEY = "retry_refused_key", "Try a refused key again"
    FOLLOW_LEVER_USERS = "follow_lever_users", "End the access of people deactivated in Lever"

    @property
    def interval(self) -> timedelta | None:
        """The time between two runs; None for what is only done when something calls for it."""
        return INTERVALS.get(self)


INTERVALS: dict[Duty, timedelta] = {
    Duty.UPDATE_INCIDENTS: timedelta(minutes=5),
    Duty.SWEEP: timedelta(minutes=10),
    Duty.FOLLOW_ERASURES: timedelta(minutes=30),
    Duty.REFRESH_LEVER_LISTS: timedelta(hours=1),
    Duty.REFRESH_ASSESSMENTS: timedelta(hours=1),
    Duty.PROBE_LEVER: timedelta(hours=1),
    Duty.FOLLOW_LEVER_USERS: timedelta(hours=1),
    Duty.REFRESH_GRANT: timedelta(hours=4),
    Duty.WARN_EXPIRY: timedelta(hours=12),
    Duty.SWEEP_FULLY: timedelta(days=1),
    Duty.PURGE: timedelta(days=1),
    Duty.REMOVE_OLD_RECORDS: timedelta(days=1),
}


def _overdue() -> models.Q:
    late = models.Q(pk__in=[])
    for duty, interval in INTERVALS.items():
        before = Now() - interval * (OVERDUE_INTERVALS + 1)
        never = models.Q(succeeded_at__isnull=True, created_at__lt=before)
        late |= models.Q(duty=duty) & (models.Q(succeeded_at__lt=before) | never)
    return late


class DutyRunQuerySet(LeasableQuerySet["DutyRun"]):
    """Duties by whether they are due, late or failing."""

    def request(self, duty: Duty, organization_ids: list[int]) -> None:
        """Have a duty done for these organizations before all that is done by the clock."""
        runs = [DutyRun(duty=duty, organization_id=organization_id) for organization_id in organization_ids]
        DutyRun.objects.bulk_create(runs, ignore_conflicts=True, batch_size=500)
        known = self.filter(duty=duty, organization__in=organization_ids)
        known.update(due_at=Now(), requested_at=Now(), priority=DutyRun.REQUESTED)

    def requeue(self, organization_id: int) -> None:
        """Have all done by the clock that couldn't be while the organization was paused or not connected."""
        scheduled = self.filter(organization=organization_id, duty__in=INTERVALS)
        scheduled.update(due_at=Now(), requested_at=Now(), priority=DutyRun.REQUESTED)

    def overdue(self) -> Self:
        """Duties that haven't succeeded for their interval and OVERDUE_INTERVALS more."""
        return self.filter(_overdue())

    def failing(self) -> Self:
        """Duties that failed at least FAILING_FROM times in a row."""
        return self.filter(failures__gte=FAILING_FROM)


class DutyRun(Leasable):
    """One duty of one organization. A worker claims it when it is due; the row is its memory."""

    HOLDS = Holds("when each duty ran last, and how it went", "until the next run")

    REQUESTED, BY_THE_CLOCK = 1, 5

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="duty_runs"
    )
    duty = models.CharField(max_length=30, choices=Duty)
    priority = models.SmallIntegerField(default=BY_THE_CLOCK, help_text="Smaller goes first.")
    created_at = models.DateTimeField(db_default=Now())
    requested_at = moment("When it was last asked for; empty once a run has begun since.")
    started_at = moment()
    finished_at = moment()
    succeeded_at = moment()
    duration_ms = models.IntegerField(null=True, blank=True, help_text="Of the last run.")
    failures = models.IntegerField(default=0, help_text="Runs in a row that failed.")
    place = harmless(
        models.JSONField(
            default=dict,
            blank=True,
            editable=False,
            help_text="Where the next run goes on, when the last one left some work. Empty when it is all done.",
        )
    )

    objects = DutyRunQuerySet.as_manager()

    class Meta:
        verbose_name = "background job"
        ordering = ["organization", "duty"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "duty"], name="duty_run_once"),
            one_of("duty_run_known", "duty", Duty),
        ]
        indexes = [
            index_of_set("duty_run_due", "priority", "due_at"),
            models.Index(
                fields=["duty"], name="duty_run_failing", condition=models.Q(failures__gte=FAILING_FROM)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_duty_display()} #{self.pk}"

    @property
    def is_failing(self) -> bool:
        return self.failures >= FAILING_FROM

    @classmethod
    def claim(cls, owner: str) -> "DutyRun | None":
        """Lease the duty that has waited longest, those that were requested first. Return None when nothing is due.

        Unlike rows of candidates, duties are few for each organization, so that none can keep the others waiting.
        """
        due = cls.objects.due()
        for run in due.order_by("priority", "due_at")[:CLAIM_TRIES]:
            is_leased = due.filter(pk=run.pk).update(
                leased_until=Now() + DUTY_LEASE,
                lease_owner=owner,
                attempts=models.F("attempts") + 1,
                consecutive_crashes=models.F("consecutive_crashes") + 1,
                started_at=Now(),
                requested_at=None,  # this run meets the request
            )
            if is_leased:
                return cls.objects.get(pk=run.pk)
        return None

    def succeed(self, duration_ms: int) -> bool:
        """Record a run that did all it could. Return False when the lease was lost."""
        interval = Duty(self.duty).interval
        return self._finish(
            duration_ms,
            Now() + interval * random.uniform(EARLIEST, LATEST) if interval else None,  # noqa: S311
            self.BY_THE_CLOCK,
            failures=0,
            last_error="",
            traceback="",
            succeeded_at=Now(),
            place={},
        )

    def fail(self, duration_ms: int, error: str, traceback: str = "") -> bool:
        """Record a run that failed; it is done again by the clock, at the latest after RETRY_AFTER.

        After a bug, and when it keeps failing, it begins anew: the place may be why.
        """
        failures = self.failures + 1
        return self._finish(
            duration_ms,
            Now() + min(RETRY_AFTER, self._interval),
            self.BY_THE_CLOCK,
            failures=failures,
            last_error=error,
            traceback=traceback,
            place={} if traceback or failures >= FAILING_FROM else self.place,
        )

    def go_on(self, duration_ms: int, place: Place) -> bool:
        """Record a turn that is done; the next one, from `place`, is due now, after what has been due for longer."""
        changes = {"failures": 0, "last_error": "", "traceback": "", "place": place}
        return self._finish(duration_ms, Now(), self.BY_THE_CLOCK, **changes)

    def defer(self, duration_ms: int, wait: timedelta, reason: str) -> bool:
        """Record a turn that has to be done again after `wait`."""
        return self._finish(duration_ms, due_after(wait), self.BY_THE_CLOCK, last_error=reason, traceback="")

    @property
    def _interval(self) -> timedelta:
        return Duty(self.duty).interval or timedelta(minutes=1)

    def _finish(
        self,
        duration_ms: int,
        due_at: models.expressions.Combinable | None,
        priority: int,
        **changes: object,
    ) -> bool:
        """End the run; what was requested meanwhile is due at once, since this run may have begun too early for it."""
        requested_meanwhile = models.Q(requested_at__isnull=False)  # the claim emptied it
        next_time = due_at or models.Value(None, output_field=models.DateTimeField())
        return self.release(
            due_at=models.Case(models.When(requested_meanwhile, then=Now()), default=next_time),
            priority=models.Case(models.When(requested_meanwhile, then=self.REQUESTED), default=priority),
            finished_at=Now(),
            duration_ms=duration_ms,
            **changes,
        )
