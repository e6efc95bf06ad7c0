"""The audit log in the admin: who changed what, from what to what, and where each chain ends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.admin.access import Right
from integrations.admin.base import PortalWideAdmin, ScopedAdmin
from integrations.admin.display import NOTHING, shown_text
from integrations.admin.filters import OrganizationFilter, choice_filter, incident_filter, period_of
from integrations.audit.models.audited_rows import MODELS
from integrations.audit.models.chain_head import AnnouncedHead, ChainHead
from integrations.audit.models.entry import AuditAction, AuditEntry, is_secret

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
    model = MODELS.get(entry.target_kind)
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


_A = AuditAction
#: By the name in the address: the name for people, and the actions.
ABOUT: Mapping[str, tuple[str, tuple[AuditAction, ...]]] = {
    "mappings": ("Mappings", (_A.ADD_MAPPING, _A.CHANGE_MAPPING, _A.DELETE_MAPPING)),
    "decisions": (
        "Decisions about candidates",
        (
            _A.APPROVE,
            _A.CANCEL_INVITATION,
            _A.TAKE_BACK,
            _A.RESOLVE_AS_SENT,
            _A.SEND_AGAIN,
            _A.INVITE_AGAIN,
            _A.INVITE_OFFERED,
            _A.INVITE_CANDIDATE,
            _A.RECORD_DECISION,
            _A.RETRY,
            _A.REPLAY,
        ),
    ),
    "policies": (
        "Policies and connections",
        (
            _A.CHANGE_POLICIES,
            _A.CREATE_ORGANIZATION,
            _A.CHANGE_ORGANIZATION,
            _A.CONNECT,
            _A.DISCONNECT,
            _A.SAVE_CONNECTION,
            _A.ADD_TOKEN,
            _A.RETIRE_TOKEN,
            _A.MAKE_WEBHOOK,
            _A.REMOVE_WEBHOOK,
            _A.MOVE_WEBHOOK,
            _A.REPLACE_WEBHOOK_ADDRESS,
            _A.END_WEBHOOK_ADDRESS,
            _A.CHANGE_RATING,
            _A.DELETE_RATING,
            _A.ADD_ALERT_ADDRESS,
            _A.CHANGE_ALERT_ADDRESS,
            _A.TEST_ALERT_ADDRESS,
            _A.REMOVE_ALERT_ADDRESS,
            _A.CHANGE_EMAIL,
            _A.RESET_EMAIL,
            _A.CHANGE_SINGLE_SIGN_ON,
            _A.TRY_SINGLE_SIGN_ON,
            _A.ADD_DOMAIN,
            _A.PROVE_DOMAIN,
            _A.LAPSE_DOMAIN,
            _A.REMOVE_DOMAIN,
        ),
    ),
    "members": (
        "Members and roles",
        (
            _A.INVITE_MEMBER,
            _A.SEND_INVITATION_LINK,
            _A.WITHDRAW_INVITATION,
            _A.ACCEPT_MEMBERSHIP,
            _A.DECLINE_MEMBERSHIP,
            _A.ADD_MEMBER,
            _A.CHANGE_MEMBER,
            _A.CHANGE_ROLE,
            _A.REMOVE_MEMBER,
            _A.LEAVE,
        ),
    ),
    "refused": (
        "Failed and refused sign-ins",
        (_A.FAIL_SIGN_IN, _A.REFUSE_SIGN_IN, _A.FAIL_SECOND_FACTOR),
    ),
    "handed_out": (
        "Data handed out",
        (_A.EXPORT_LIST, _A.EXPORT_EVIDENCE, _A.SUBJECT_ACCESS, _A.LOOK_AT_DATA),
    ),
    "erased": ("Data erased", (_A.ERASE, _A.REMOVE_OLD)),
}


AboutFilter = choice_filter(
    "what was changed",
    "about",
    {value: (label, Q(action__in=actions)) for value, (label, actions) in ABOUT.items()},
)


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    """Changes that people and commands made."""

    read_right: Right = "may_read_log"
    list_display = ("at", "actor_name", "action", "target_shown", "changes_listed", "reason", "organization")
    list_display_links = ("at", "action")
    list_filter = (
        period_of("at"),
        AboutFilter,
        "target_kind",
        incident_filter("at"),
        OrganizationFilter,
    )
    search_fields = ("actor_name", "action", "target")
    search_hint = "who, what was done, or to what"
    ordering = ("-at", "-pk")
    fields = (
        "at",
        "organization",
        "actor_name",
        "action",
        "target_shown",
        "changes_shown",
        "reason",
        "position",
        "previous_hash",
        "hash",
    )
    readonly_fields = ("target_shown", "changes_shown", "position", "previous_hash", "hash")

    def organization_of(self, row: AuditEntry) -> int:
        """Return the id of its organization; for an entry about the whole portal 0, which no organization has."""
        return row.organization_id or 0

    @admin.display(description="about", ordering="target")
    def target_shown(self, entry: AuditEntry) -> str | SafeString:
        """Return what it is about, as a link where the admin has a page of it."""
        return target_link(entry)

    @admin.display(description="changes")
    def changes_listed(self, entry: AuditEntry) -> str:
        """Return the first few changes; secrets were masked when the entry was written."""
        return changes_line(entry) or self.get_empty_value_display()

    @admin.display(description="changes")
    def changes_shown(self, entry: AuditEntry) -> str | SafeString:
        """Return what changed, from what to what; secrets were masked when the entry was written."""
        return changes_table(entry)


@admin.register(ChainHead)
class ChainHeadAdmin(PortalWideAdmin):
    """The head of each organization's chain."""

    list_display = ("chain", "position", "hash")


@admin.register(AnnouncedHead)
class AnnouncedHeadAdmin(PortalWideAdmin):
    """The heads that went into the log and into e-mails."""

    list_display = ("announced_at", "chain", "position", "hash")
    list_filter = ("announced_at",)
    ordering = ("-announced_at", "-pk")
