"""The pack's readable summary: one page that tells who it is about and, in order, what happened, without JSON."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from heapq import merge
from typing import Any

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join

from integrations.audit.evidence.selection import READ_AT_ONCE, Selection
from integrations.audit.models.entry import AuditEntry
from integrations.clients.models import ApiCall
from integrations.core.vocabulary import Platform
from integrations.effects.perform import kind_of
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.outbox.models import Effect

#: When something happened, what it was, and more about it.
type Event = tuple[datetime, str, str]

ERASED = "The text was erased."
#: What of a delivery isn't told, and may be long.
_LONG = ("payload", "facts", "traceback")
NOBODY = "Nobody entered a CodeScreen stage."


def summary(selection: Selection) -> Iterator[bytes]:
    """Yield the page in parts: the heading, a row for each candidate, a row for each thing that happened, the end."""
    yield render_to_string(
        "evidence/summary_head.html",
        {"organization": selection.organization, "selection": selection.description},
    ).encode()
    yield from _candidates(selection)
    yield render_to_string("evidence/summary_events.html").encode()
    for at, what, more in merge(*_events(selection)):
        yield _row(_in_utc(at), what, more)
    yield b"</tbody>\n</table>\n</body>\n</html>\n"


def _row(*cells: str) -> bytes:
    return format_html(
        "<tr>{}</tr>\n", format_html_join("", "<td>{}</td>", ((cell,) for cell in cells))
    ).encode()


def _in_utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


# the candidates


def _candidates(selection: Selection) -> Iterator[bytes]:
    is_empty = True
    candidates = selection.candidates().select_related("delivery", "invitation").order_by("entered_at", "pk")
    candidates = candidates.defer(*(f"delivery__{name}" for name in _LONG))
    for candidate in candidates.iterator(chunk_size=READ_AT_ONCE):
        is_empty = False
        yield _row(
            _name(candidate),
            candidate.role_title,
            f"{candidate.stage_name}, {_in_utc(candidate.entered_at)}",
            candidate.assessment_name,
            _standing(candidate),
            candidate.opportunity_id,
        )
    if is_empty:
        yield _row(NOBODY, "", "", "", "", "")


def _name(candidate: Candidate) -> str:
    if candidate.erased_at is not None:
        return f"Erased on {_in_utc(candidate.erased_at)}"
    return f"{candidate.name} <{candidate.email}>" if candidate.email else candidate.name


def _standing(candidate: Candidate) -> str:
    if candidate.invitation is None:
        return (
            f"Not invited: {candidate.delivery.get_verdict_display()}"
            if candidate.delivery
            else "Not invited"
        )
    status = candidate.invitation.get_status_display()
    return f"{status}: {candidate.outcome}" if candidate.outcome else status


# what happened


def _events(selection: Selection) -> Iterator[Iterator[Event]]:
    yield _each(selection.deliveries(), "received_at", _received)
    verdicts = selection.verdicts().select_related("delivery").defer(*(f"delivery__{name}" for name in _LONG))
    yield _each(verdicts, "decided_at", _decided)
    for column, told in _STEPS.items():
        yield _each(selection.invitations().filter(**{f"{column}__isnull": False}), column, told)
    yield _each(selection.effects(), "created_at", _intended)
    yield _each(selection.effects().filter(done_at__isnull=False), "done_at", _performed)
    yield _each(selection.results().select_related("invitation"), "created_at", _stated)
    yield _each(selection.calls(), "at", _called)
    yield _each(selection.acts(), "at", _acted)


def _each[Row: Any](
    rows: QuerySet[Row], time_column: str, told: Callable[[Row], tuple[str, str]]
) -> Iterator[Event]:
    for row in rows.order_by(time_column, "pk").iterator(chunk_size=READ_AT_ONCE):
        yield getattr(row, time_column), *told(row)


def _about(opportunity_id: str) -> str:
    return f"opportunity {opportunity_id}" if opportunity_id else "no opportunity"


def _received(delivery: Delivery) -> tuple[str, str]:
    more = f"delivery {delivery.pk}, {_about(delivery.opportunity_id)}"
    return f"Received from {delivery.get_platform_display()}: {delivery.event}", more


def _decided(verdict: Verdict) -> tuple[str, str]:
    text = ERASED if verdict.is_erased else verdict.explanation
    place = f"delivery {verdict.delivery_id}, {_about(verdict.delivery.opportunity_id)}, position {verdict.position}"
    return f"Decided: {verdict.get_code_display()}", f"{text} ({place})"


def _journey(invitation: Invitation) -> str:
    return (
        f"{invitation.assessment_name}, round {invitation.round} (invitation {invitation.pk}, "
        f"{_about(invitation.opportunity_id)})"
    )


def _no_longer_followed(invitation: Invitation) -> tuple[str, str]:
    what = f"CodeScreen is no longer asked: {invitation.get_following_ended_display()}"
    return what, _journey(invitation)


#: By the column of an invitation with the time of a step: what happened then.
_STEPS: dict[str, Callable[[Invitation], tuple[str, str]]] = {
    "invited_at": lambda invitation: ("Invited", _journey(invitation)),
    "bounced_at": lambda invitation: ("Bounced", _journey(invitation)),
    "started_at": lambda invitation: ("Started", _journey(invitation)),
    "completed_at": lambda invitation: ("Completed", _journey(invitation)),
    "following_ended_at": _no_longer_followed,
}


def _intended(effect: Effect) -> tuple[str, str]:
    more = f"effect {effect.pk}, {_about(effect.opportunity_id)}, now {effect.shown_state}"
    return f"To be done: {_kind(effect)}", more


def _performed(effect: Effect) -> tuple[str, str]:
    attempts = "1 attempt" if effect.attempts == 1 else f"{effect.attempts} attempts"
    return f"Done: {_kind(effect)}", f"effect {effect.pk}, {_about(effect.opportunity_id)}, after {attempts}"


def _kind(effect: Effect) -> str:
    kind = str(effect.get_kind_display())
    record = kind_of(effect)
    about = ", ".join(record.words(effect).tags) or record.topic(effect, None)
    return f"{kind} ({about})" if about else kind


def _stated(result: Result) -> tuple[str, str]:
    stated = [result.outcome or "no result stated"]
    stated += [f"score {result.score.normalize():f}"] if result.score is not None else []
    stated += [result.failure_reason] if result.failure_reason else []
    return (
        "CodeScreen stated a result",
        f"{', '.join(stated)}, attempt {result.attempt}: {_journey(result.invitation)}",
    )


def _called(call: ApiCall) -> tuple[str, str]:
    called = Platform(call.platform).label if call.platform in Platform else "an address for alerts"
    answer = f"{call.status or call.error or 'no answer'}, {call.duration_ms} ms"
    if call.last_at is not None:
        answer += f"; the same answer × {call.repeats} since, last {_in_utc(call.last_at)}"
    return f"Called {called}: {call.method} {call.path}", answer


def _acted(entry: AuditEntry) -> tuple[str, str]:
    text = ERASED if entry.is_erased else ": ".join(filter(None, (entry.target, entry.reason)))
    return f"{entry.actor_name}: {entry.get_action_display()}", f"{text} (position {entry.position})"
