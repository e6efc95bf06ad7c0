"""The e-mails that were taken, the latest first."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Lock

from portal.devtools.sandbox.ids import new_id
from portal.devtools.sandbox.times import now_ms

MOST_KEPT = 2000


@dataclass(frozen=True, slots=True)
class StoredEmail:
    """One e-mail, its two bodies as text."""

    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    id: str = field(default_factory=new_id)
    at: int = field(default_factory=now_ms)


class Mailbox:
    """Keeps e-mails in memory; any thread may use it."""

    def __init__(self) -> None:
        self._emails: dict[str, StoredEmail] = {}
        self._lock = Lock()

    def store(self, sender: str, recipients: Sequence[str], raw: bytes) -> StoredEmail:
        """Keep an e-mail as it came over SMTP, and return it; the oldest goes when there are too many."""
        message = message_from_bytes(raw, policy=policy.default)
        email = StoredEmail(
            sender=str(message.get("From", sender)),
            recipients=tuple(recipients),
            subject=str(message.get("Subject", "")),
            text=_body(message, "plain"),
            html=_body(message, "html"),
        )
        with self._lock:
            self._emails[email.id] = email
            if len(self._emails) > MOST_KEPT:
                del self._emails[next(iter(self._emails))]
        return email

    def latest_first(self) -> list[StoredEmail]:
        """Return every e-mail, the latest first."""
        with self._lock:
            return list(reversed(self._emails.values()))

    def find(self, email_id: str) -> StoredEmail | None:
        """Return the e-mail with an id."""
        return self._emails.get(email_id)


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    content = part.get_content() if part is not None else ""
    return content if isinstance(content, str) else ""
