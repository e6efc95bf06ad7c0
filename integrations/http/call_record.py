"""What is kept of one call to a platform: its answer's status and duration, and both bodies, redacted."""

import hashlib
import json
from dataclasses import dataclass

from integrations.http.redaction import redact, redact_tokens
from integrations.http.secret_mask import SecretMask
from integrations.http.shapes import Deviation
from integrations.http.upload import Upload

KEPT_BODY_CHARACTERS = 4000


@dataclass(frozen=True)
class CallRecord:
    """One request and its answer, for the record of calls; bodies are redacted."""

    platform: str
    method: str
    path: str
    status: int | None
    duration_ms: int
    request_body: str
    response_body: str
    error: str
    #: Seconds by which our clock is ahead of the platform's; None when unknown.
    clock_ahead: float | None = None
    endpoint: str = ""
    #: How the answer differs from the shape that the portal relies on.
    deviations: tuple[Deviation, ...] = ()


def kept_body(value: object) -> str:
    """Return what is kept of a decoded body: JSON without personal data and secrets."""
    if value is None:
        return ""
    return json.dumps(redact(value), ensure_ascii=False)[:KEPT_BODY_CHARACTERS]


def kept_upload(upload: Upload) -> str:
    """Return what is kept of a file that was sent: its type, its size and its digest, never its content."""
    digest = hashlib.sha256(upload.content).hexdigest()
    return kept_body({"file": {"type": upload.content_type, "bytes": len(upload.content), "sha256": digest}})


def kept_answer(value: object, mask: SecretMask, *, has_tokens: bool) -> str:
    """Return what is kept of an answer: nothing that the request had to keep secret, and no tokens."""
    kept = kept_body(redact_tokens(value) if has_tokens else value)
    return mask.mask(kept) if has_tokens or mask.may_be_in(kept) else kept
