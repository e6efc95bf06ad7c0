"""What the outbox keeps of one alert until it is sent. No name is in it: it is read when the alert is sent."""

from dataclasses import dataclass
from typing import Any, Self

from integrations.workflow.email.payload import Condition, stored_condition
from integrations.workflow.outbox.enqueue import Payload

BEGAN, ENDED = "began", "ended"


@dataclass(frozen=True)
class AlertPayload(Payload):
    """One alert to one address.

    `address` is the key of the AlertAddress, `type` an AlertTopic. A result has `result` in words, `outcome` and
    `score`; everything else has a `subject` and perhaps `lines`, and a `phase` where it begins or ends.
    An erased payload is empty, and nothing is sent then.
    """

    address: int = 0
    type: str = ""
    phase: str = ""
    subject: str = ""
    lines: tuple[str, ...] = ()
    link: str = ""
    result: str = ""
    outcome: str = ""
    score: str = ""
    holds_while: Condition | None = None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the payload as it was stored; what is missing has its default."""
        known = {
            name: str(stored.get(name) or "")
            for name in ("type", "phase", "subject", "link", "result", "outcome", "score")
        }
        return cls(
            address=stored.get("address") or 0,
            lines=tuple(stored.get("lines", ())),
            holds_while=stored_condition(stored.get("holds_while")),
            **known,
        )
