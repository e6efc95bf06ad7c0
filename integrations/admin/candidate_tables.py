"""The tables of a candidate's page in the admin: cells by row, the second of which links to the row's own page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.admin.audit_log import changes_line
from integrations.admin.display import invitation_link, link
from integrations.models import AuditEntry, Effect, Invitation, Verdict
from integrations.workflow.effects.kinds.feedback import results_of
from integrations.workflow.effects.registry import kind_of


@dataclass(frozen=True)
class Table:
    """One table, and the sentence that stands in its place when it has no rows."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    when_empty: str


def table_of_invitations(invitations: Iterable[Invitation]) -> Table:
    """Return where each invitation stands."""
    rows = [
        (
            one.created_at,
            invitation_link(one),
            _lines(one.get_status_display(), one.status_reason),
            one.invited_at,
            one.completed_at,
        )
        for one in invitations
    ]
    return Table(
        "Invitations", ("Made", "Assessment", "Status", "Invited", "Completed"), rows, "Not invited."
    )


def table_of_verdicts(verdicts: Iterable[Verdict]) -> Table:
    """Return what was decided and why, with what was replaced since."""
    rows = [
        (
            one.decided_at,
            format_html("{}{}", link(one, one.get_code_display()), "" if one.is_current else " (replaced)"),
            one.explanation,
            one.get_cause_display(),
        )
        for one in verdicts
    ]
    return Table("What was decided", ("When", "Verdict", "Why", "Cause"), rows, "Nothing was decided yet.")


def table_of_effects(effects: Sequence[Effect]) -> Table:
    """Return what was sent and written, word for word."""
    results = results_of(effects)
    rows = [
        (
            one.created_at,
            link(one, one.get_kind_display()),
            format_html_join(
                "",
                '<div class="written">{}: {}</div>',
                kind_of(one).words(one, results.get(one.pk)).named.items(),
            ),
            _lines(one.get_state_display(), one.reason),
            one.done_at,
        )
        for one in effects
    ]
    return Table(
        "What was sent and written",
        ("Begun", "What", "Words and values", "State", "Done"),
        rows,
        "Nothing was sent or written.",
    )


def table_of_entries(entries: Iterable[AuditEntry]) -> Table:
    """Return who acted, and what that changed."""
    rows = [
        (one.at, link(one, one.get_action_display()), one.actor_name, changes_line(one), one.reason)
        for one in entries
    ]
    return Table(
        "Who acted",
        ("When", "What", "Who", "Changes", "Reason"),
        rows,
        "Nobody acted on this candidate in the portal.",
    )


def _lines(first: str, second: str) -> str | SafeString:
    return format_html("{}<br>{}", first, second) if second else first
