"""How values are shown: links between rows, times, JSON without personal data, and whether secrets are set."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from integrations.clients.models import ApiCall
from integrations.http.redaction import redact, without_addresses
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.invitation import Invitation

NOTHING = "–"
#: So many rows that belong to a row are shown on its page.
MAX_SHOWN = 50
#: Keys of e-mail payloads whose values name people, at whatever depth.
_PEOPLE = frozenset({"recipients", "sent_to", "requested", "lines", "subject", "variables"})


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


def links(rows: Iterable[Model]) -> str | SafeString:
    """Return links to the rows, separated by dots."""
    return format_html_join(" · ", "{}", ((link(row),) for row in rows)) or NOTHING


def list_links(names: Mapping[str, str], **filters: str | int) -> SafeString:
    """Return links to lists of the admin with these filters, separated by dots; `names` are by model."""
    query = urlencode(filters)
    addresses = (
        (f"{reverse(f'admin:integrations_{model}_changelist')}?{query}", name)
        for model, name in names.items()
    )
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


def answer_of(call: ApiCall) -> str:
    """Return the status, else why there is none, and how often the same answer came again."""
    answer = str(call.status or call.error or "no answer")
    return f"{answer}, × {call.repeats} since, last {time_text(call.last_at)}" if call.repeats else answer


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str | SafeString:
    """Return the rows' cells as a table under these columns; of no rows a word that says so."""
    cells = [(format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows]
    if not cells:
        return "None."
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", "<th>{}</th>", ((column,) for column in columns)),
        format_html_join("", "<tr>{}</tr>", cells),
    )


def calls_table(calls: Iterable[ApiCall]) -> str | SafeString:
    """Return the calls as a table: when, what, answer, how long, which attempt."""
    rows = (
        (
            time_text(call.at),
            link(call, f"{call.platform} {call.method} {call.path}"),
            answer_of(call),
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
            "Current" if verdict.is_current else "Replaced",
            verdict.explanation,
            verdict.get_cause_display(),
        )
        for verdict in verdicts
    )
    return table(("When", "Verdict", "Status", "Why", "Cause"), rows)


def secret_column(name: str, description: str) -> Any:
    """Return a column that says whether a secret is set. It reads the length that ScopedAdmin adds, not the value.

    The type is Any because django-stubs allows only names in `fields`, and Django callables too.
    """

    @admin.display(description=description)
    def column(row: Model) -> str:
        return "set" if getattr(row, f"{name}_length", 0) else "empty"

    return column
