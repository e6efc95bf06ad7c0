"""The pack's readable summary: one page that tells in order what happened, for people who read no JSON."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from heapq import merge
from typing import Any

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.html import format_html

from integrations.models import ApiCall, AuditEntry, Delivery, Effect, Result, Verdict
from integrations.workflow.operations.evidence.records import READ_AT_ONCE
from integrations.workflow.operations.evidence.selection import Selection

#: When something happened, what it was, and more about it.
type Event = tuple[datetime, str, str]

ERASED = "The text was erased."


def summary(selection: Selection) -> Iterator[bytes]:
    """Yield the page in parts: the heading, a row for each thing that happened by time, the end."""
    yield render_to_string(
        "evidence/summary_head.html",
        {"organization": selection.organization, "selection": selection.description},
    ).encode()
    for at, what, more in merge(*_events(selection)):
        row = format_html(
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            _in_utc(at),
            what,
            more,
        )
        yield row.encode()
    yield b"</tbody>\n</table>\n</body>\n</html>\n"


def _in_utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(" ", "seconds")


def _events(selection: Selection) -> Iterator[Iterator[Event]]:
    yield _each(selection.deliveries(), "received_at", _received)
    yield _each(selection.verdicts(), "decided_at", _decided)
    yield _each(selection.effects(), "created_at", _intended)
    yield _each(selection.effects().filter(done_at__isnull=False), "done_at", _performed)
    yield _each(selection.results().select_related("invitation"), "created_at", _stated)
    yield _each(selection.calls(), "at", _called)
    yield _each(selection.audit_entries(), "at", _acted)


def _each[Row: Any](
    rows: QuerySet[Row], time_column: str, told: Callable[[Row], tuple[str, str]]
) -> Iterator[Event]:
    for row in rows.order_by(time_column, "pk").iterator(chunk_size=READ_AT_ONCE):
        yield getattr(row, time_column), *told(row)


def _received(delivery: Delivery) -> tuple[str, str]:
    more = f"delivery {delivery.pk}, opportunity {delivery.opportunity_id or 'none'}"
    return f"Received from {delivery.get_platform_display()}: {delivery.event}", more


def _decided(verdict: Verdict) -> tuple[str, str]:
    text = ERASED if verdict.is_erased else verdict.explanation
    return (
        f"Decided: {verdict.get_code_display()}",
        f"{text} (delivery {verdict.delivery_id}, position {verdict.position})",
    )


def _intended(effect: Effect) -> tuple[str, str]:
    return f"To be done: {effect.get_kind_display()}", f"effect {effect.pk}, now {effect.shown_state}"


def _performed(effect: Effect) -> tuple[str, str]:
    return f"Done: {effect.get_kind_display()}", f"effect {effect.pk}, after {effect.attempts} attempts"


def _stated(result: Result) -> tuple[str, str]:
    stated = [result.outcome or "no result stated"]
    stated += [f"score {result.score.normalize():f}"] if result.score is not None else []
    stated += [result.failure_reason] if result.failure_reason else []
    return (
        "CodeScreen stated a result",
        f"{', '.join(stated)} ({result.invitation.assessment_name}, attempt {result.attempt})",
    )


def _called(call: ApiCall) -> tuple[str, str]:
    answer = f"{call.status or call.error or 'no answer'}, {call.duration_ms} ms"
    if call.last_at is not None:
        answer += f"; the same answer × {call.repeats} since, last {_in_utc(call.last_at)}"
    return f"Called {call.platform}: {call.method} {call.path}", answer


def _acted(entry: AuditEntry) -> tuple[str, str]:
    text = ERASED if entry.is_erased else " ".join(filter(None, (entry.target, entry.reason)))
    return f"{entry.actor_name}: {entry.get_action_display()}", f"{text} (position {entry.position})"
