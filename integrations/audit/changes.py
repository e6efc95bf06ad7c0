"""What an audit entry changed, in words: for the site's page, its CSV and the admin."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from integrations.audit.models.entry import AuditEntry, is_secret
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.members.models.membership import Membership

NOTHING = "nothing"
#: What codes are called, by the field that has them.
_WORDS: Mapping[str, Mapping[str, str]] = {
    "status": dict(InvitationStatus.choices()),
    "verdict": dict(VerdictCode.choices()),
    "role": dict(Membership.Role.choices),
}
#: The beginning of a time, as entries store it.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
#: What happened to a secret, by whether there was one before and after.
_SECRETS = {
    (False, True): "stored",
    (True, True): "replaced",
    (True, False): "removed",
    (False, False): "none, as before",
}
#: What stands for a secret in an entry.
_MASKED = ("set", "empty", "unreadable", None)


@dataclass(frozen=True)
class Change:
    """One field that an entry changed, with both values as text; `note` says in words what happened to a secret."""

    name: str
    before: str
    after: str
    note: str = ""

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").capitalize().replace("Api ", "API ")

    @property
    def is_first(self) -> bool:
        """Whether the field had no value before."""
        return self.before == NOTHING


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def changes_of(entry: AuditEntry, shown: Callable[[object], str] = _json) -> list[Change]:
    """Return what an entry changed; of a field that holds several, each that differs. `shown` writes objects.

    Secrets were masked when the entry was written.
    """
    # sorted, since PostgreSQL doesn't keep the order of a JSON object's keys
    return [
        part
        for name, (before, after) in sorted(entry.changes.items())
        for part in _parts(str(name), before, after, shown)
    ]


def _parts(name: str, before: object, after: object, shown: Callable[[object], str]) -> Iterator[Change]:
    def in_words(value: object) -> str:
        if isinstance(value, list):
            return ", ".join(_text(item, in_words) for item in value)
        return shown(value) if isinstance(value, dict) else str(value)

    if isinstance(before, dict) and isinstance(after, dict):
        for inner in sorted({*before, *after}):
            if before.get(inner) != after.get(inner) or is_secret(inner):
                yield from _parts(f"{name}: {inner}", before.get(inner), after.get(inner), shown)
        return
    note = ""
    if is_secret(name) and before in _MASKED and after in _MASKED:
        note = _SECRETS[before not in ("empty", None), after not in ("empty", None)]
    yield Change(name, _text(before, in_words, name), _text(after, in_words, name), note)


def _text(value: object, write: Callable[[object], str], name: str = "") -> str:
    """Return a value of that field as text; `write` writes what is neither empty nor a text nor yes or no."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return write(value)
    return _time_text(value) if _TIME.match(value) else _WORDS.get(name, {}).get(value, value)


def _time_text(value: str) -> str:
    """Return a time as people read it, in the reader's time zone; what is none after all stays."""
    try:
        at = parse_datetime(value)
    except ValueError:
        at = None
    return f"{timezone.localtime(at):%-d %b %Y, %H:%M %Z}" if at and at.tzinfo else value
