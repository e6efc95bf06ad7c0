"""When a platform didn't answer, and something about one candidate waited for it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from integrations.models import ApiCall, Delivery, Effect, Incident
from integrations.pages.activity.standing import Meaning
from integrations.pages.candidate.event import Event
from integrations.pages.candidate.rows import CandidateRows
from integrations.vocabulary import DeliveryEvent, Platform

#: A step that took longer than this has waited.
WAITED_FROM = timedelta(minutes=1)
#: Where no call about the candidate shows which of the two it was.
EITHER = "Lever or CodeScreen"
_TELLING = {Effect.Kind.SEND_EMAIL, Effect.Kind.SEND_ALERT}


@dataclass(frozen=True)
class _Wait:
    """A step that took long: when it began and ended (None while it waits), and the calls for it without an answer."""

    since: datetime
    until: datetime | None
    calls: Sequence[ApiCall]

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
    found = (outage for wait in _waits(rows) if wait.has_waited for outage in _outages(wait, rows.outages))
    for outage in sorted(found, key=lambda one: one.since):
        if merged and merged[-1].overlaps(outage):
            merged[-1] = merged[-1].merged(outage)
        else:
            merged.append(outage)
    for outage in merged:
        yield Event(outage.until or outage.since, _sentence(outage), icon="clock", tone=Meaning.WARN)


def _waits(rows: CandidateRows) -> Iterator[_Wait]:
    decided_at = {
        verdict.delivery_id: verdict.decided_at for verdict in rows.verdicts
    }  # the first, read last
    for delivery in rows.deliveries:
        is_entry = delivery.event in {DeliveryEvent.STAGE_CHANGE, DeliveryEvent.SWEEP}
        if is_entry and delivery.platform == Delivery.Platform.LEVER:
            calls = [call for call in rows.unanswered if call.delivery_id == delivery.pk]
            yield _Wait(delivery.received_at, decided_at.get(delivery.pk), calls)
    for effect in rows.effects:
        if effect.kind not in _TELLING and effect.state != Effect.State.CANCELLED:
            calls = [call for call in rows.unanswered if call.effect_id == effect.pk]
            yield _Wait(effect.trying_since, effect.done_at or effect.failed_at, calls)


def _outages(wait: _Wait, incidents: Iterable[Incident]) -> Iterator[_Outage]:
    """Yield when which platform didn't answer: by the calls for the step, else by the organization's incidents."""
    for platform in dict.fromkeys(call.platform for call in wait.calls):
        calls = [call for call in wait.calls if call.platform == platform]
        yield _Outage(Platform(platform).label, min(call.at for call in calls), wait.until, len(calls))
    if wait.calls:
        return
    ongoing = timezone.now()
    for incident in incidents:  # the step's calls were put off, because others had shown that nobody answers
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
