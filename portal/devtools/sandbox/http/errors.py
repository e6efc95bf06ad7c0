"""The error a handler raises to answer with an error status."""

from portal.devtools.sandbox.json_values import JsonObject


class HttpError(Exception):
    """A request that is answered with an error; the platform decides what the body looks like."""

    def __init__(self, status: int, message: str, code: str = "", extra: JsonObject | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.extra = extra or {}
