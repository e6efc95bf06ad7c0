"""Lever's rate limit: a token bucket per account."""

import time

from portal.devtools.sandbox.lever.settings import LeverSettings


class TokenBucket:
    """Refills at the account's rate up to its burst; guarded by the account's lock."""

    def __init__(self, settings: LeverSettings) -> None:
        self._settings = settings
        self._tokens = float(settings.rate_burst)
        self._refilled_at = time.monotonic()

    def take(self) -> bool:
        """Take one token and return whether there was one; always true while the limit is off."""
        rate = self._settings.rate_limit
        if rate <= 0:
            return True
        now = time.monotonic()
        refill = (now - self._refilled_at) * rate
        self._tokens = min(float(self._settings.rate_burst), self._tokens + refill)
        self._refilled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def wait_seconds(self) -> float:
        """Return how long until the next token."""
        return max(0.0, (1 - self._tokens) / self._settings.rate_limit)
