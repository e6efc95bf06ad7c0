"""What a person did to many rows lately, in their session: so the page that shows how far it is needs no table."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from integrations.pages.activity.bulk_acts import ACTS, Act
from integrations.workflow.operations.undo import UNDO_FOR

#: The session's key for what was done lately.
SESSION_KEY = "bulk_acts"
#: So many are kept, each in a browser's tab perhaps.
MOST_KEPT = 5
_ID = re.compile(r"[\w-]{8,40}\Z", re.ASCII)


def new_id(stated: str = "") -> str:
    """Return the id that a preview's form states, by which its repeats are known; a new one when it states none."""
    return stated if _ID.match(stated) else secrets.token_urlsafe(12)


@dataclass(frozen=True)
class DoneAct:
    """One act on many rows: the keys of those it was done to, why others were refused, and whose was taken back."""

    id: str
    act: Act
    rows: Sequence[int] = ()
    refused: Sequence[str] = ()
    taken_back: Sequence[int] = ()
    at: datetime = field(default_factory=timezone.now)

    @property
    def undo_until(self) -> datetime:
        """When the first of them may begin."""
        return self.at + UNDO_FOR

    @property
    def left_to_undo(self) -> list[int]:
        """The keys of the rows that weren't taken back."""
        return [key for key in self.rows if key not in self.taken_back]

    def with_more(self, rows: Sequence[int], refused: Sequence[str]) -> Self:
        """Return it with what another request of the same form did."""
        return replace(
            self,
            rows=[*self.rows, *(key for key in rows if key not in self.rows)],
            refused=[*self.refused, *refused],
            taken_back=[key for key in self.taken_back if key not in rows],
            at=timezone.now(),
        )

    def without(self, rows: Sequence[int]) -> Self:
        """Return it with these rows taken back."""
        return replace(self, taken_back=[*self.taken_back, *rows])


class DoneLately:
    """What the person of a session did lately, the latest last."""

    def __init__(self, session: SessionBase) -> None:
        self._session = session

    def latest(self, act_id: str = "") -> DoneAct | None:
        """Return the act of this id, the latest without an id; None when there is none."""
        found = _read(self._session.get(SESSION_KEY))
        return next((one for one in reversed(found) if not act_id or one.id == act_id), None)

    def store(self, done: DoneAct) -> None:
        """Keep the act. What another request of the session stored since this one began is kept too."""
        others = [one for one in _read(self._session.load().get(SESSION_KEY)) if one.id != done.id]
        self._session[SESSION_KEY] = [_stored(one) for one in [*others, done][-MOST_KEPT:]]
        self._session.save()
        self._session.modified = (
            False  # saved once more at the end, it would lose what another request stores meanwhile
        )

    def reread(self, act_id: str) -> DoneAct | None:
        """Return the act of this id as it is stored now, also by another request; None when there is none."""
        return next((one for one in _read(self._session.load().get(SESSION_KEY)) if one.id == act_id), None)


def _stored(done: DoneAct) -> dict[str, object]:
    return {
        "id": done.id,
        "act": done.act.code,
        "rows": list(done.rows),
        "refused": list(done.refused),
        "taken_back": list(done.taken_back),
        "at": done.at.isoformat(),
    }


def _read(stored: object) -> list[DoneAct]:
    if not isinstance(stored, list):
        return []
    return [
        DoneAct(one["id"], ACTS[one["act"]], one["rows"], one["refused"], one["taken_back"], at)
        for one in stored
        if one["act"] in ACTS and (at := parse_datetime(one["at"]))
    ]
