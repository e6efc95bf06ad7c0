"""A sender of Lever's webhooks that posts as fast as it is answered, and records the answers."""

import time
import uuid
from collections import Counter
from dataclasses import dataclass, field

import requests

from integrations.lever.payloads import dedupe_key, sign
from portal.devtools.sandbox.values import JsonObject

RESPONSE_SECONDS = 30.0  # more than SQLite's writers wait for each other
BROKEN_CONNECTION = "broken connection"
ALLOWED_DURING_KILLS = frozenset({"503", BROKEN_CONNECTION})


@dataclass
class Answers:
    """The answers that all clients together got."""

    accepted_at: dict[str, float] = field(default_factory=dict)  # times by dedupe key
    accept_seconds: list[float] = field(default_factory=list)  # how long each acceptance took
    others: Counter[str] = field(default_factory=Counter)  # counts of all other answers, by status or error

    @property
    def not_allowed(self) -> dict[str, int]:
        """The answers that must not be given, even while processes are killed."""
        return {name: count for name, count in self.others.items() if name not in ALLOWED_DURING_KILLS}


@dataclass(frozen=True)
class IngestClient:
    """One client: where it posts, and until when."""

    url: str
    signature_token: str
    stage_id: str
    answers: Answers
    until: float

    def run(self) -> None:
        """Post webhooks until the time is up."""
        session = requests.Session()
        while time.monotonic() < self.until:
            payload = make_stage_change(self.signature_token, self.stage_id)
            sent_at = time.monotonic()
            try:
                status = session.post(self.url, json=payload, timeout=RESPONSE_SECONDS).status_code
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                self._record_failure(BROKEN_CONNECTION)
            except requests.RequestException as error:
                self.answers.others[type(error).__name__] += 1
            else:
                if status in {200, 202}:
                    self.answers.accepted_at[dedupe_key(payload)] = time.time()
                    self.answers.accept_seconds.append(time.monotonic() - sent_at)
                else:
                    self._record_failure(str(status))

    def _record_failure(self, name: str) -> None:
        self.answers.others[name] += 1
        time.sleep(0.05)


def make_stage_change(signature_token: str, stage_id: str) -> JsonObject:
    """Return a new, signed stage change of an opportunity that doesn't exist."""
    token, triggered_at = uuid.uuid4().hex + uuid.uuid4().hex[:16], int(time.time() * 1000)
    return {
        "id": str(uuid.uuid4()),
        "event": "candidateStageChange",
        "triggeredAt": triggered_at,
        "token": token,
        "signature": sign(token, triggered_at, signature_token),
        "data": {"opportunityId": str(uuid.uuid4()), "toStageId": stage_id},
    }
