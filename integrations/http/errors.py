"""The errors of a call to a platform, by what they mean for the caller."""


class PlatformError(Exception):
    """A call to a platform did not succeed.

    `permanent`: trying the same again can't help. `ambiguous`: the call may still have taken effect.
    `status` is the HTTP status, None when no answer came; `retry_after` is in seconds, None when the platform gave
    none; `body` is the decoded answer where there was one.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        ambiguous: bool = False,
        status: int | None = None,
        retry_after: float | None = None,
        body: object = None,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.ambiguous = ambiguous
        self.status = status
        self.retry_after = retry_after
        self.body = body


class NotConnected(PlatformError):
    """There is no working connection to call with. Nothing was sent; a person has to connect first."""


class CallDeferred(PlatformError):
    """The call may only be made later than the caller can wait; nothing was sent."""

    def __init__(self, seconds: float, reason: str = "waiting for a free slot") -> None:
        super().__init__(reason, retry_after=seconds)
