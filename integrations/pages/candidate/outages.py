"""When a platform didn't answer, and something about one candidate waited for it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from integrations.models import Delivery, Effect
from integrations.pages.candidate.event import Event
from integrations.pages.candidate.rows import CandidateRows
from integrations.vocabulary import DeliveryEvent, Platform, Tone
from integrations.workflow.effects.registry import MESSAGES

#: A step that took longer than this has waited.
WAITED_FROM = timedelta(minutes=1)
#: Where no call about the candidate shows which of the two it was.
EITHER = "Lever or CodeScreen"


@dataclass(frozen=True)
class _Wait:
    """A step: the row that it is for, and when it began and ended; None while it waits."""

    row: Delivery | Effect
    since: datetime
    until: datetime | None

    @property
    def has_waited(self) -> bool:
        """Whether it took so long that somebody may ask why."""
        return (self.until or timezone.now()) - self.since > WAITED_FROM


@dataclass(frozen=True)
class _Outage:
    """The time in which a platform didn't answer about the candidate, and how often it was tried."""

    platform: str
    since: datetime
    until: datetime | None
    tries: int

    def overlaps(self, other: "_Outage") -> bool:
        """Whether both are the same outage."""
        is_same = self.platform == other.platform or EITHER in {self.platform, other.platform}
        now = timezone.now()
        return is_same and self.since <= (other.until or now) and other.since <= (self.until or now)

    def merged(self, other: "_Outage") -> "_Outage":
        """Return both as one."""
        until = None if self.until is None or other.until is None else max(self.until, other.until)
        platform = other.platform if self.platform == EITHER else self.platform
        since = min(self.since, other.since)
        return replace(self, platform=platform, since=since, until=until, tries=self.tries + other.tries)


def outage_events(rows: CandidateRows) -> Iterator[Event]:
    """Yield an event for each time in which the candidate waited because a platform didn't answer."""
    merged: list[_Outage] = []
    found = (outage for wait in _waits(rows) if wait.has_waited for outage in _outages(wait, rows))
    for outage in sorted(found, key=lambda one: one.since):
        if merged and merged[-1].overlaps(outage):
            merged[-1] = merged[-1].merged(outage)
        else:
            merged.append(outage)
    for outage in merged:
        yield Event(outage.until or outage.since, _sentence(outage), icon="clock", tone=Tone.WARN)


def _waits(rows: CandidateRows) -> Iterator[_Wait]:
    decided_at = {
        verdict.delivery_id: verdict.decided_at for verdict in rows.verdicts
    }  # the first, read last
    for delivery in rows.deliveries:
        is_entry = delivery.event in {DeliveryEvent.STAGE_CHANGE, DeliveryEvent.SWEEP}
        if is_entry and delivery.platform == Delivery.Platform.LEVER:
            yield _Wait(delivery, delivery.received_at, decided_at.get(delivery.pk))
    for effect in rows.effects:
        if effect.kind not in MESSAGES and effect.state != Effect.State.CANCELLED:
            yield _Wait(effect, effect.trying_since, effect.done_at or effect.failed_at)


def _outages(wait: _Wait, rows: CandidateRows) -> Iterator[_Outage]:
    """Yield when which platform didn't answer: by the calls for the step, else by the organization's incidents."""
    times: dict[str, list[datetime]] = {}
    for call in rows.unanswered:
        if wait.row.pk == (call.delivery_id if isinstance(wait.row, Delivery) else call.effect_id):
            times.setdefault(call.platform, []).append(call.at)
    for platform, tried_at in times.items():
        yield _Outage(Platform(platform).label, min(tried_at), wait.until, len(tried_at))
    if times:
        return
    ongoing = timezone.now()
    for (
        incident
    ) in rows.outages:  # the step's calls were put off, because others had shown that nobody answers
        if incident.began_at < (wait.until or ongoing) and wait.since < (incident.ended_at or ongoing):
            ends = [end for end in (wait.until, incident.ended_at) if end is not None]
            yield _Outage(EITHER, max(wait.since, incident.began_at), min(ends, default=None), 0)


def _sentence(outage: _Outage) -> str:
    since = timezone.localtime(outage.since)
    tried = f"; tried {outage.tries} time{'' if outage.tries == 1 else 's'}" if outage.tries else ""
    if outage.until is None:
        return f"{outage.platform} hasn't answered since {since:%-d %B, %H:%M}{tried}"
    until = timezone.localtime(outage.until)
    end = f"{until:%H:%M}" if until.date() == since.date() else f"{until:%-d %B, %H:%M}"
    start = f"{since:%H:%M}" if until.date() == since.date() else f"{since:%-d %B, %H:%M}"
    return f"{outage.platform} didn't answer from {start} to {end}{tried}"
