"""What the portal reads from CodeScreen's answers and webhooks, decoded leniently, and how webhooks are signed.

Source: https://docs.codescreen.com (List assessments, Get assessment status). The keys of `metadata` and the webhooks
are extensions that a CodeScreen account may have; an account without them is understood too.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from enum import StrEnum
from typing import Self

from django.utils.crypto import constant_time_compare
from django.utils.dateparse import parse_datetime

from integrations.core.rules.names import KnownAssessment
from integrations.core.vocabulary import RejectionCode
from integrations.http.json_values import JsonObject, one_line

MAX_ATTEMPT = 1_000_000
OUTCOMES = {"passed": "Passed", "failed": "Failed", "expired": "Expired"}
#: Scores are kept to this many decimal places. Cut, not rounded: no score may reach a threshold that it is below.
SCORE_STEP = Decimal("0.0001")


class InstanceStatus(StrEnum):
    """The values of an instance's `status` that the portal understands."""

    NOT_STARTED = "Not_Started"
    IN_PROGRESS = "In_Progress"
    COMPLETE = "Complete"
    #: Not published. What an assessment that was not started or finished in time may answer.
    EXPIRED = "Expired"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """Return the member that is written like the value but for the case of its letters."""
        written = str(value).casefold()
        return next((member for member in cls if member.casefold() == written), None)


class MetadataKey(StrEnum):
    """The keys of `metadata` that the portal reads by name."""

    RESULT = "result"
    FAILURE_REASON = "failureReason"
    ATTEMPT = "attempt"
    STARTED_AT = "startedAt"
    SUBMITTED_AT = "submittedAt"
    EVALUATED_AT = "evaluatedAt"


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def time_in(value: object) -> datetime | None:
    """Return an ISO 8601 time with an offset, None for anything else."""
    try:
        parsed = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    # a day's room at both ends: the same moment has to exist in other time zones too
    is_sensible = parsed is not None and parsed.tzinfo is not None and 1 < parsed.year < 9999
    return parsed if is_sensible else None


def _link(value: object) -> str:
    """Return a web address, empty for anything else: a script or a relative path is no report link."""
    link = _text(value)
    return link if link.startswith(("https://", "http://")) and len(link) <= 1000 else ""


def _number(value: object) -> Decimal | None:
    """Return a finite number, also one that is written as text, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):  # no number, or an integer of thousands of digits
        return None
    return number if number.is_finite() else None


def _score(value: object) -> Decimal | None:
    """Return a score from 0 to 100, None for anything else."""
    score = _number(value)
    if score is None or not 0 <= score <= 100:
        return None
    return score.quantize(SCORE_STEP, rounding=ROUND_DOWN)


def _attempt(value: object) -> int | None:
    """Return an attempt's number, counted from 1, None for anything else."""
    attempt = _number(value)
    is_attempt = attempt is not None and 1 <= attempt <= MAX_ATTEMPT and attempt == int(attempt)
    return int(attempt) if attempt is not None and is_attempt else None


def _status(value: object) -> str:
    """Return an instance's status as the portal writes it; one that it doesn't know as it is."""
    status = _text(value)
    try:
        return InstanceStatus(status)
    except ValueError:
        return status


def listed_assessment(data: JsonObject) -> KnownAssessment:
    """Decode one entry of the list, which has an `assessmentId`."""
    return KnownAssessment(data["assessmentId"], one_line(str(data.get("assessmentName") or "")))


@dataclass(frozen=True)
class Progress:
    """The present state of one instance. What CodeScreen doesn't state is empty, never derived.

    `metadata` is as CodeScreen sent it; `details.py` says what of it is kept.
    """

    status: str
    score: Decimal | int | None = None
    report_url: str = ""
    outcome: str = ""
    failure_reason: str = ""
    attempt: int | None = None
    started_at: datetime | None = None
    submitted_at: datetime | None = None
    evaluated_at: datetime | None = None
    metadata: JsonObject = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return self.status in {InstanceStatus.COMPLETE, InstanceStatus.EXPIRED}

    @classmethod
    def from_api(cls, body: JsonObject) -> Self:
        metadata = body.get("metadata")
        metadata = dict(metadata) if isinstance(metadata, Mapping) else {}
        status = _status(body.get("status"))
        outcome = OUTCOMES.get(_text(metadata.get(MetadataKey.RESULT)).lower(), "")
        if status == InstanceStatus.EXPIRED:
            outcome = outcome or OUTCOMES["expired"]
        return cls(
            status=status,
            score=_score(body.get("score")),
            report_url=_link(body.get("result_url")),
            outcome=outcome,
            failure_reason=""
            if outcome == "Passed"
            else one_line(_text(metadata.get(MetadataKey.FAILURE_REASON)))[:200],
            attempt=_attempt(metadata.get(MetadataKey.ATTEMPT)),
            started_at=time_in(metadata.get(MetadataKey.STARTED_AT)),
            submitted_at=time_in(metadata.get(MetadataKey.SUBMITTED_AT)),
            evaluated_at=time_in(metadata.get(MetadataKey.EVALUATED_AT)),
            metadata=metadata,
        )


@dataclass(frozen=True)
class WebhookHint:
    """The content of a CodeScreen webhook. It is a reason to read the instance's progress, never an answer itself."""

    type: str
    instance_id: str

    @classmethod
    def from_payload(cls, payload: JsonObject) -> Self:
        data = payload.get("data")
        data = data if isinstance(data, Mapping) else {}
        return cls(
            type=_text(payload.get("type")),
            instance_id=_text(data.get("assessmentInstanceId")),
        )


def instance_id_in(body: object) -> str:
    """Return the instance id in an answer or an error's body, empty when there is none."""
    instance_id = body.get("assessmentInstanceId") if isinstance(body, dict) else None
    return instance_id if isinstance(instance_id, str) else ""


# Verifies that a webhook came from CodeScreen, by Standard Webhooks 1.0.0 (https://www.standardwebhooks.com).


TOLERANCE_SECONDS = 300
SECRET_PREFIX = "whsec_"


class BadSignature(Exception):
    """The signature isn't valid. `code` names the part that failed, never what would have been right."""

    def __init__(self, code: RejectionCode) -> None:
        super().__init__(code)
        self.code = code


def decode_secret(secret: str) -> bytes:
    """Return the key of a `whsec_<base64>` secret. Raises ValueError, with the fix, when it isn't one."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("A webhook secret looks like whsec_ followed by base64.") from error
    if not secret.startswith(SECRET_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("A webhook secret is whsec_ followed by the base64 of 24 to 64 bytes.")
    return key


def sign(message_id: str, timestamp: str, body: bytes, secret: str) -> str:
    """Return the `v1,<base64>` signature of the raw body."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(decode_secret(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> str:
    """Verify a request and return its message id. Raises BadSignature.

    `now` is in Unix seconds; a timestamp that is more than TOLERANCE_SECONDS off either way is refused.
    """
    message_id = headers.get("webhook-id") or ""
    timestamp = headers.get("webhook-timestamp") or ""
    signatures = headers.get("webhook-signature") or ""
    if not message_id or not timestamp or not signatures:
        raise BadSignature(RejectionCode.SIGNATURE_MISSING)
    # the digits are what was signed, so only the plain form is accepted
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12) or len(message_id) > 200:
        raise BadSignature(RejectionCode.SIGNATURE_MALFORMED)
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise BadSignature(RejectionCode.TIMESTAMP_OUT_OF_RANGE)
    expected = sign(message_id, timestamp, body, secret)
    matches = [constant_time_compare(expected, candidate) for candidate in signatures.split(" ")]
    if not any(matches):
        raise BadSignature(RejectionCode.SIGNATURE_MISMATCH)
    return message_id
