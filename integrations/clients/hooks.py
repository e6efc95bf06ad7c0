"""What happens before and after each call of a step: limits, the row's lease and the record."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import DatabaseError

from integrations.clients import call_log
from integrations.clients.limits import AGAIN_AFTER_SECONDS, CallLimits
from integrations.clients.models import ApiCall
from integrations.core import correlation
from integrations.http.session import CallDeferred, CallRecord
from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
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


AfterCall = Callable[[CallRecord], None]


def before_call(limits: CallLimits, context: CallContext) -> Callable[[], None]:
    """Return a hook that waits until a call may be made, and renews the lease of the row that it is made for.

    A step of several slow calls would outlive its lease, which is short so that a killed worker's rows are claimed
    again soon. The hook raises CallDeferred when another worker has taken the row over, and when the worker that
    makes the call is about to end.
    """

    def wait() -> None:
        limits.wait()
        row = context.row
        if row is None or not row.lease_owner or row.leased_until is None:
            return
        # the lease's age is read from the row, since the step's other client renews it too
        age = LEASE - (row.leased_until - database.now())
        if age >= timedelta(seconds=RENEW_AFTER_SECONDS) and not row.renew():
            raise CallDeferred(AGAIN_AFTER_SECONDS, TAKEN_OVER)

    return wait


def after_call(
    organization: Organization, context: CallContext, limits: CallLimits | None = None
) -> AfterCall:
    """Return a hook that collects an ApiCall for each call, and passes the call to the limits."""

    def record(call: CallRecord) -> None:
        try:
            at = database.now()
            if limits is not None:
                limits.observe(call, at)
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
                at=at,
            )
            call_log.add(row)
        # the call was made: the caller must not see an error because something about it was lost
        except database.DATABASE_OUTAGE:
            logger.warning("what an API call showed could not be recorded", exc_info=True)
        except DatabaseError as error:
            logger.error("what an API call showed could not be recorded\n%s", masked_traceback(error))

    return record
