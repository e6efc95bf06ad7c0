"""Calls that asked the same and got the same answer, as one line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from integrations.models import ApiCall


@dataclass(frozen=True)
class FoldedCall:
    """One request with its answer, and the later ones that were the same; the newest first."""

    calls: Sequence[ApiCall]

    @property
    def call(self) -> ApiCall:
        """The latest of them."""
        return self.calls[0]

    @property
    def times(self) -> int:
        """How often it was asked, with the polls that were counted instead of stored."""
        return sum(1 + call.repeats for call in self.calls)

    @property
    def first_at(self) -> datetime:
        """When it was asked first."""
        return self.calls[-1].at

    @property
    def last_at(self) -> datetime:
        """When it was asked last."""
        return max(call.last_at or call.at for call in self.calls)


def folded(calls: Iterable[ApiCall]) -> list[FoldedCall]:
    """Return a line for each call, and one for all successful reads of the same answer, where the latest stands."""
    groups: dict[object, list[ApiCall]] = {}
    for call in calls:
        groups.setdefault(_likeness(call), []).append(call)
    return [FoldedCall(group) for group in groups.values()]


def _likeness(call: ApiCall) -> object:
    """Return a key: the same for calls that are one line, its own for any other call."""
    if call.method != "GET" or call.status != HTTPStatus.OK or call.error:
        return call.pk
    return call.platform, call.path, call.response_body
