"""The fields read from CodeScreen's answers and webhooks.

Source: https://docs.codescreen.com (Get assessment status). `metadata` keys are the additive part (P1) of the
wire contract; a server that publishes none of them is understood too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from django.utils.dateparse import parse_datetime

NOT_STARTED, IN_PROGRESS, COMPLETE = "Not_Started", "In_Progress", "Complete"
MOST_ATTEMPTS = 1_000_000
OUTCOMES = {"passed": "Passed", "failed": "Failed", "expired": "Expired"}


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _time(value: Any) -> datetime | None:
    try:
        parsed = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    # a day's room at both ends: the same moment has to exist in other time zones too
    is_sensible = parsed is not None and parsed.tzinfo is not None and 1 < parsed.year < 9999
    return parsed if is_sensible else None


def _link(value: Any) -> str:
    """Return a web address; anything else (a script, a relative path) is no report link."""
    text = _text(value)
    return text if text.startswith(("https://", "http://")) and len(text) <= 1000 else ""


def _score(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
        return None
    return int(value)


@dataclass(frozen=True)
class Progress:
    """What CodeScreen says of one instance now. What it doesn't state is empty, never derived."""

    status: str
    score: int | None = None
    report_url: str = ""
    outcome: str = ""
    failure_reason: str = ""
    attempt: int | None = None
    started_at: datetime | None = None
    submitted_at: datetime | None = None
    evaluated_at: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether results are available."""
        return self.status == COMPLETE

    @classmethod
    def from_api(cls, body: Mapping[str, Any]) -> Self:
        """Decode the status answer."""
        metadata = body.get("metadata")
        metadata = dict(metadata) if isinstance(metadata, Mapping) else {}
        attempt = metadata.get("attempt")
        outcome = OUTCOMES.get(_text(metadata.get("result")).lower(), "")
        return cls(
            status=_text(body.get("status")),
            score=_score(body.get("score")),
            report_url=_link(body.get("result_url")),
            outcome=outcome,
            failure_reason="" if outcome == "Passed" else _text(metadata.get("failureReason"))[:200],
            attempt=attempt if type(attempt) is int and 1 <= attempt <= MOST_ATTEMPTS else None,
            started_at=_time(metadata.get("startedAt")),
            submitted_at=_time(metadata.get("submittedAt")),
            evaluated_at=_time(metadata.get("evaluatedAt")),
            metadata={
                key: value
                for key, value in metadata.items()
                if isinstance(value, (str, int, float, bool, type(None)))
            },
        )


@dataclass(frozen=True)
class WebhookHint:
    """What a CodeScreen webhook is about; a reason to ask, never an answer."""

    type: str
    instance_id: str
    external_id: str

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Decode the envelope."""
        data = payload.get("data")
        data = data if isinstance(data, Mapping) else {}
        return cls(
            type=_text(payload.get("type")),
            instance_id=_text(data.get("assessmentInstanceId")),
            external_id=_text(data.get("externalId")),
        )


def split_name(name: str) -> tuple[str, str]:
    """Return first and last name, which CodeScreen requires, of Lever's one name: the last word is the last name."""
    words = name.split()
    if not words:
        return "Candidate", "-"
    if len(words) == 1:
        return words[0], "-"
    return " ".join(words[:-1]), words[-1]
