"""How values and candidates are shown: links, times, JSON without personal data, whether secrets are set, names."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from integrations.clients.models import ApiCall
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ResultOutcome, Tone
from integrations.http.redaction import redact, without_addresses
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict, next_step
from integrations.invitations.models.invitation import Invitation

NOTHING = "–"
#: So many rows that belong to a row are shown on its page.
MAX_SHOWN = 50
#: Keys of e-mail payloads whose values name people, at whatever depth.
_PEOPLE = frozenset({"recipients", "sent_to", "requested", "lines", "subject"})

#: An id of Lever or CodeScreen, as addresses have it.
_LONG_ID = re.compile(r"(?<=/)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=/|\?|$)")


def badge(text: str, tone: str) -> SafeString:
    """Return a coloured label; `tone` is a Tone, or a code that the style sheet gives one."""
    return format_html('<span class="badge {}">{}</span>', tone, text)


def sentence(text: str) -> SafeString:
    """Return a text that takes two lines in a list; on a row's page it is whole."""
    return format_html('<div class="sentence">{}</div>', text or NOTHING)


def outcome_badge(outcome: str) -> str | SafeString:
    """Return a result that CodeScreen stated."""
    return badge(outcome, ResultOutcome(outcome).tone) if outcome else NOTHING


def invitation_badge(invitation: Invitation) -> SafeString:
    """Return where an invitation stands."""
    return badge(invitation.words.label, invitation.words.tone)


def verdict_badge(code: str) -> SafeString:
    """Return what was decided about a delivery; of what isn't decided yet that it isn't."""
    if not code:
        return badge("Not decided yet", Tone.INFO)
    record = VerdictCode(code).record
    return badge(record.label, record.tone)


def link(row: Model | None, text: str = "") -> str | SafeString:
    """Return a link to a row's page in the admin."""
    if row is None:
        return NOTHING
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, text or str(row))


def invitation_link(invitation: Invitation | None) -> str | SafeString:
    """Return a link to an invitation by what it invites to; the candidate's name stands beside it."""
    if invitation is None:
        return NOTHING
    later = f", round {invitation.round}" if invitation.round > 1 else ""
    return link(invitation, f"{invitation.assessment_name}{later}")


def list_links(names: Mapping[str, str], **filters: str | int) -> SafeString:
    """Return links to lists of the admin with these filters, separated by dots; `names` are by app and model."""
    query = urlencode(filters)
    addresses = ((f"{reverse(f'admin:{model}_changelist')}?{query}", name) for model, name in names.items())
    return format_html_join(" · ", '<a href="{}">{}</a>', addresses)


def indented(value: object) -> str | SafeString:
    """Return JSON, decoded or as text, indented and without personal data and secrets."""
    text = shown_text(value)
    return format_html("<pre>{}</pre>", text) if text else NOTHING


def shown_text(value: object) -> str:
    """Return JSON, decoded or as text, as it may be shown: indented, without personal data and secrets."""
    if isinstance(value, str):
        if not value:
            return ""
        try:
            value = json.loads(value)
        except ValueError:  # a long body is stored cut off, so it isn't JSON any more
            return without_addresses(str(value))
    return without_addresses(json.dumps(redact(_without_people(value)), ensure_ascii=False, indent=2))


def _without_people(value: object) -> object:
    """Return decoded JSON without what e-mails say and the addresses they go to."""
    if isinstance(value, dict):
        return {
            name: "[redacted]" if name in _PEOPLE and item else _without_people(item)
            for name, item in value.items()
        }
    return [_without_people(item) for item in value] if isinstance(value, (list, tuple)) else value


def time_text(moment: datetime | None) -> str:
    """Return a time with seconds, in UTC as all times of the admin."""
    return f"{moment.astimezone(UTC):%-d %b %Y, %H:%M:%S}" if moment else NOTHING


def answer_badge(call: ApiCall) -> SafeString:
    """Return the status, or that there was no answer, and how often the same answer came."""
    times = f" × {call.repeats + 1}" if call.repeats else ""
    is_good = call.status is not None and call.status < HTTPStatus.BAD_REQUEST
    return badge(f"{call.status or 'No answer'}{times}", Tone.GOOD if is_good else Tone.BAD)


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str | SafeString:
    """Return the rows' cells as a table under these heads; of no rows a word that says so."""
    cells = [(format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows]
    if not cells:
        return "None."
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", "<th>{}</th>", ((head,) for head in heads)),
        format_html_join("", "<tr>{}</tr>", cells),
    )


def step_after(delivery: Delivery | None) -> str:
    """Return what a person can do about a delivery's verdict."""
    return (next_step(delivery.verdict, delivery.invitation) if delivery else "") or NOTHING


def path_text(call: ApiCall) -> str:
    """Return the address that was called with "…" for each long id, so that its end is seen: what was done."""
    return _LONG_ID.sub("…", call.path)


def calls_table(calls: Iterable[ApiCall]) -> str | SafeString:
    """Return the calls as a table: when, what, answer, how long, which attempt."""
    rows = (
        (
            time_text(call.at),
            link(call, f"{call.platform} {call.method} {path_text(call)}"),
            answer_badge(call),
            f"{call.duration_ms} ms",
            call.attempt,
        )
        for call in calls
    )
    return table(("When", "Call", "Answer", "Took", "Attempt"), rows)


def verdicts_table(verdicts: Iterable[Verdict]) -> str | SafeString:
    """Return the verdicts as a table: when, what, whether it holds, why, and what made the portal decide then."""
    rows = (
        (
            time_text(verdict.decided_at),
            link(verdict, verdict.get_code_display()),
            badge("Current", Tone.GOOD) if verdict.is_current else badge("Replaced", Tone.NEUTRAL),
            verdict.explanation,
            verdict.get_cause_display(),
        )
        for verdict in verdicts
    )
    return table(("When", "Verdict", "Status", "Why", "Cause"), rows)


def column(description: str, read: Callable[[Any], object], ordering: str | None = None) -> Any:
    """Return a column of an admin that shows what is read of a row; `ordering` is what the list is sorted by."""

    @admin.display(description=description, ordering=ordering)
    def shown(_: admin.ModelAdmin, row: Model) -> object:
        return read(row)

    return shown


def columns(names: str) -> tuple[str, ...]:
    """Return the columns whose names are written one after the other with spaces between."""
    return tuple(names.split())


def section(title: str, names: str) -> tuple[str, Any]:
    """Return a section of a row's page with these columns, written as for `columns`."""
    return title, {"fields": columns(names)}


def secret_column(name: str) -> Any:
    """Return a column that says whether a secret is set. It reads the length that ScopedAdmin adds, not the value.

    The type is Any because django-stubs allows only names in `fields`, and Django callables too.
    """

    @admin.display(description=name.replace("_", " "))
    def column(row: Model) -> SafeString:
        is_set = getattr(row, f"{name}_length", 0)
        return badge("Set", Tone.GOOD) if is_set else badge("Empty", Tone.NEUTRAL)

    return column


def candidate_link(organization_id: int, opportunity_id: str, name: str | None = "") -> str | SafeString:
    """Return a link to the candidate's record in the admin, by name where it is known."""
    if not opportunity_id:
        return NOTHING
    address = reverse("admin:candidate", args=[organization_id, opportunity_id])
    return format_html('<a href="{}">{}</a>', address, name or opportunity_id)


# Columns that several of these rows have.
DELIVERY_LINK = column("delivery", lambda row: link(row.delivery, row.delivery.what if row.delivery else ""))
INVITATION_LINK = column("invitation", lambda row: invitation_link(row.invitation))
WHERE_IT_FAILED = column("where it failed", lambda row: indented(row.traceback))
CALLS_MADE = column("calls", lambda row: calls_table(row.calls.order_by("-at", "-pk")[:MAX_SHOWN]))
PAYLOAD_SHOWN = column("payload", lambda row: indented(row.payload))
