"""Evaluations: score, result and failure reason, as the control API and the pages give them."""

from dataclasses import dataclass

from portal.devtools.sandbox.http.errors import HttpError
from portal.devtools.sandbox.json_values import JsonObject

RESULTS = ("Passed", "Failed", "Expired")
REASONS = ("Unit Tests", "Build Failure", "Build Timeout", "Expired")
UNSCORED_REASONS = frozenset({"Build Failure", "Build Timeout", "Expired"})


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an assessment came to; None is what CodeScreen doesn't state."""

    score: int | None = None
    result: str | None = None
    reason: str | None = None

    @classmethod
    def read(cls, document: JsonObject) -> "Evaluation":
        """Return the evaluation a JSON object gives; raises a 400 HttpError for an impossible one."""
        score, result, reason = (document.get(name) for name in ("score", "result", "reason"))
        if score is not None and (
            not isinstance(score, int) or isinstance(score, bool) or not 0 <= score <= 100
        ):
            raise HttpError(400, "score must be an integer from 0 to 100", "bad_request")
        if result not in (None, *RESULTS):
            raise HttpError(400, f"result must be one of {', '.join(RESULTS)}", "bad_request")
        if reason is not None and not isinstance(reason, str):
            raise HttpError(400, f"reason must be a text such as {', '.join(REASONS)}", "bad_request")
        if result in (None, "Passed"):
            reason = None
        elif result == "Expired":
            reason = "Expired"
        elif reason is None:
            reason = "Unit Tests"
        return cls(None if reason in UNSCORED_REASONS else score, result, reason)


EXPIRED = Evaluation(None, "Expired", "Expired")
