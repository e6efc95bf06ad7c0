"""What the outbox keeps of one e-mail until it is sent."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

from integrations.workflow.email.kinds import EmailWording
from integrations.workflow.outbox.payloads import Payload

MAX_DIGEST_LINES = 300


@dataclass(frozen=True)
class EmailPayload(Payload):
    """One e-mail: to whom it goes, what it says, and how far it has been sent.

    Several notices may share the e-mail as a digest: `appended_keys` are the keys of those that joined it, and
    `left_out` is the number of them whose lines no longer fitted.
    """

    recipients: tuple[str, ...] = ()
    subject: str = ""
    lines: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    wording: EmailWording | None = None
    requested: str = ""
    sent_to: tuple[str, ...] = ()
    appended_keys: tuple[str, ...] = ()
    left_out: int = 0

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the payload as `to_json` wrote it; what is missing has its default."""
        wording = stored.get("wording")
        return cls(
            recipients=tuple(stored.get("recipients", ())),
            subject=stored.get("subject", ""),
            lines=tuple(stored.get("lines", ())),
            variables=dict(stored.get("variables", {})),
            wording=EmailWording(**wording) if wording else None,
            requested=stored.get("requested", ""),
            sent_to=tuple(stored.get("sent_to", ())),
            appended_keys=tuple(stored.get("appended_keys", ())),
            left_out=stored.get("left_out", 0),
        )

    def with_sent_to(self, address: str) -> Self:
        """Return the payload after the message to one address was sent."""
        return replace(self, sent_to=(*self.sent_to, address))

    def with_appended(self, key: str, subject: str, lines: tuple[str, ...]) -> Self:
        """Return the payload with another notice in it; its lines are left out when the e-mail is full."""
        is_full = len(self.lines) + len(lines) > MAX_DIGEST_LINES
        return replace(
            self,
            subject=subject,
            lines=self.lines if is_full else (*self.lines, *lines),
            variables={},  # they belong to the first notice's candidate
            appended_keys=(*self.appended_keys, key),
            left_out=self.left_out + is_full,
        )
