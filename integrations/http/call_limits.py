"""The limits on every call of one organization to one platform: circuit breaker, then rate limit."""

from integrations import stop_signal
from integrations.http.call_record import CallRecord
from integrations.http.errors import CallDeferred
from integrations.http.rate_limit import COOL_DOWN_SECONDS, release_slot, reserve_slot
from integrations.models import CircuitBreaker, Organization

LONGEST_WAIT = 15.0
NO_ANSWER = "{platform} isn't answering; it is asked again now and then"
NO_SLOT = "waiting for a free slot of the account's rate limit"


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
