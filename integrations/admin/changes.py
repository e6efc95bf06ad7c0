"""What an audit entry changed, readably: each field from what to what, and what is kept secret."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.admin.display import NOTHING, shown_text
from integrations.models import (
    AlertAddress,
    AuditEntry,
    CodeScreenConnection,
    Delivery,
    Effect,
    EmailTemplate,
    Erasure,
    IdentityProvider,
    Invitation,
    LeverConnection,
    LeverWebhook,
    Membership,
    Organization,
    PendingMembership,
    RatingThresholds,
    RoleMapping,
    SignInDomain,
    TargetKind,
)
from integrations.models.audit_entry import is_secret

#: The model of the row that an entry is about, by kind. The link leads to a 404 once the row is deleted.
_MODELS: Mapping[str, type[Model]] = {
    TargetKind.ORGANIZATION: Organization,
    TargetKind.MEMBER: Membership,
    TargetKind.PENDING_MEMBERSHIP: PendingMembership,
    TargetKind.SINGLE_SIGN_ON: IdentityProvider,
    TargetKind.SIGN_IN_DOMAIN: SignInDomain,
    TargetKind.MAPPING: RoleMapping,
    TargetKind.RATING_THRESHOLDS: RatingThresholds,
    TargetKind.LEVER_CONNECTION: LeverConnection,
    TargetKind.LEVER_WEBHOOK: LeverWebhook,
    TargetKind.CODESCREEN_CONNECTION: CodeScreenConnection,
    TargetKind.EMAIL_TEMPLATE: EmailTemplate,
    TargetKind.ALERT_ADDRESS: AlertAddress,
    TargetKind.INVITATION: Invitation,
    TargetKind.EFFECT: Effect,
    TargetKind.DELIVERY: Delivery,
    TargetKind.ERASURE: Erasure,
}
#: What happened to a secret, by whether there was one before and after.
_SECRETS = {
    (False, True): "stored",
    (True, True): "replaced",
    (True, False): "removed",
    (False, False): "none, as before",
}
#: What stands for a secret in an entry.
_MASKED = ("set", "empty", "unreadable", None)
LINE_OF = 3
LONGEST = 60


@dataclass(frozen=True)
class Change:
    """One field, with what it was and what it became; `note` says what is kept secret instead."""

    field: str
    before: str
    after: str
    note: str = ""

    def __str__(self) -> str:
        if self.note:
            return f"{self.field}: {self.note}"
        return f"{self.field}: {_cut(self.before)} → {_cut(self.after)}"


def changes_of(entry: AuditEntry) -> list[Change]:
    """Return what an entry changed, by field."""
    return [
        change
        for name, (before, after) in sorted(entry.changes.items())
        for change in _changes(str(name), before, after)
    ]


def changes_line(entry: AuditEntry) -> str:
    """Return what an entry changed on one line: the first few fields."""
    changes = changes_of(entry)
    more = f" · and {len(changes) - LINE_OF} more" if len(changes) > LINE_OF else ""
    return " · ".join(str(change) for change in changes[:LINE_OF]) + more


def changes_table(entry: AuditEntry) -> str | SafeString:
    """Return what an entry changed as a table."""
    if entry.is_erased:
        return "Erased, since it was about a person whose data was erased."
    rows = format_html_join("", '<tr><th scope="row">{}</th>{}</tr>', _cells(changes_of(entry)))
    if not rows:
        return NOTHING
    return format_html(
        '<table class="changes"><thead><tr><th scope="col">What</th><th scope="col">Before</th>'
        '<th scope="col">After</th></tr></thead><tbody>{}</tbody></table>',
        rows,
    )


def target_link(entry: AuditEntry) -> str | SafeString:
    """Return the name of the row that an entry is about, as a link where the admin has a page of it."""
    model = _MODELS.get(entry.target_kind)
    name = entry.target or entry.get_target_kind_display()
    if model is None or not entry.target_id:
        return name
    address = reverse(f"admin:integrations_{model._meta.model_name}_change", args=[entry.target_id])
    return format_html('<a href="{}">{}</a>', address, name)


def _cells(changes: list[Change]) -> Iterator[tuple[str, SafeString]]:
    for change in changes:
        if change.note:
            sentence = f"The secret was {change.note}. Its value isn't kept in this log."
            yield change.field, format_html('<td colspan="2">{}</td>', sentence)
        else:
            yield change.field, format_html("<td>{}</td><td>{}</td>", change.before, change.after)


def _changes(name: str, before: object, after: object) -> Iterator[Change]:
    """Yield the change of one field; of a field that holds several, each that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        for inner in sorted({*before, *after}):
            if before.get(inner) != after.get(inner) or is_secret(inner):
                yield from _changes(f"{name}: {inner}", before.get(inner), after.get(inner))
    elif is_secret(name) and before in _MASKED and after in _MASKED:
        had, has = before not in ("empty", None), after not in ("empty", None)
        yield Change(_label(name), "", "", _SECRETS[had, has])
    else:
        yield Change(_label(name), _text(before), _text(after))


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(value: object) -> str:
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return shown_text(value) if isinstance(value, dict) else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
