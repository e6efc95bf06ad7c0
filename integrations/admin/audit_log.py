"""The audit log in the admin: who changed what, from what to what, where each chain ends, and whether it is whole."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from integrations.admin import access
from integrations.admin.access import Right
from integrations.admin.base import PortalWideAdmin, ScopedAdmin
from integrations.admin.display import NOTHING, column, columns, shown_text
from integrations.admin.filters import OrganizationFilter, choice_filter, period_of
from integrations.audit.acts import record_check
from integrations.audit.chain_walk import Fault
from integrations.audit.changes import changes_in_parts
from integrations.audit.models.audited_rows import MODELS, candidates_of
from integrations.audit.models.chain_head import AnnouncedHead, ChainHead
from integrations.audit.models.entry import AuditAction, AuditEntry, AuditSubject
from integrations.audit.verification import OutOfTime, Verification, chain_of, result_of, verify_chain
from integrations.invitations.models.names import names_of
from integrations.organizations.models.organization import Organization

LINE_OF = 3
LONGEST = 60


def changes_line(entry: AuditEntry) -> str:
    """Return what an entry changed on one line: the first few fields."""
    changes = changes_in_parts(entry, shown_text)
    shown = [
        f"{change.label}: {change.note or f'{_cut(change.before)} → {_cut(change.after)}'}"
        for change in changes[:LINE_OF]
    ]
    more = f" · and {len(changes) - LINE_OF} more" if len(changes) > LINE_OF else ""
    return " · ".join(shown) + more


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def changes_table(entry: AuditEntry) -> str | SafeString:
    """Return what an entry changed as a table."""
    if entry.is_erased:
        return "Erased, since it was about a person whose data was erased."
    changes = changes_in_parts(entry, shown_text)
    if not changes:
        return NOTHING
    cells = (
        format_html(
            '<td colspan="2">{}</td>', f"The secret was {change.note}. Its value isn't kept in this log."
        )
        if change.note
        else format_html("<td>{}</td><td>{}</td>", change.before, change.after)
        for change in changes
    )
    rows = zip((change.label for change in changes), cells, strict=True)
    return format_html(
        '<table class="changes"><thead><tr><th scope="col">What</th><th scope="col">Before</th>'
        '<th scope="col">After</th></tr></thead><tbody>{}</tbody></table>',
        format_html_join("", '<tr><th scope="row">{}</th>{}</tr>', rows),
    )


def target_link(entry: AuditEntry, name: str = "") -> str | SafeString:
    """Return the name of the row that an entry is about, as a link where the admin has a page of it.

    `name` is that of the candidate whose row it is.
    """
    model = MODELS.get(entry.target_kind)
    name = name or entry.target or entry.get_target_kind_display()
    if model is None or not entry.target_id:
        return name
    address = reverse(f"admin:integrations_{model._meta.model_name}_change", args=[entry.target_id])
    return format_html('<a href="{}">{}</a>', address, name)


AboutFilter = choice_filter(
    "what was changed",
    "about",
    {subject.value: (subject.label, Q(action__in=subject.actions)) for subject in AuditSubject},
)


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    """Changes that people and commands made."""

    read_right: Right = "may_read_log"
    list_title = "Audit log"
    list_display = columns("at person action target_shown changes_listed organization")
    list_filter = (
        period_of("at"),
        AboutFilter,
        "target_kind",
        OrganizationFilter,
    )
    search_fields = ("actor_name", "action", "target")
    search_hint = "who, what was done, or to what"
    list_select_related = ("organization", "actor")
    ordering = ("-at", "-pk")
    fields = columns(
        "at organization person action target_shown changes_shown reason position previous_hash hash"
    )

    def organization_of(self, row: AuditEntry) -> int:
        """Return the id of its organization; for an entry about the whole portal 0, which no organization has."""
        return row.organization_id or 0

    def complete(self, rows: Sequence[Any]) -> None:
        """Add the names of the candidates that the entries are about."""
        candidates = candidates_of(rows)
        names = names_of(candidates.values())
        for row in rows:
            row.known_name = names.get(candidates[row.pk], "") if row.pk in candidates else ""

    target_shown = column(
        "about", lambda entry: target_link(entry, getattr(entry, "known_name", "")), "target"
    )
    person = column("who", lambda entry: entry.who, "actor_name")

    # secrets were masked when the entry was written
    changes_listed = column(
        "changes", lambda entry: " · ".join(filter(None, (changes_line(entry), entry.reason))) or NOTHING
    )
    changes_shown = column("changes", changes_table)


# The head of each organization's chain.
admin.site.register(ChainHead, PortalWideAdmin, is_in_index=False, list_display=("chain", "position", "hash"))


@admin.register(AnnouncedHead)
class AnnouncedHeadAdmin(PortalWideAdmin):
    """The heads that went into the log and into e-mails."""

    is_in_index = False
    list_display = ("announced_at", "chain", "position", "hash")
    list_filter = ("announced_at",)
    ordering = ("-announced_at", "-pk")


# The page that shows where each log ends, and checks one.


PORTAL = "The whole portal"
#: A page may take so long; a longer log is checked by the command.
CHECKED_FOR = timedelta(seconds=10)
#: So many faults are shown; the command prints all.
SHOWN_FAULTS = 50


@dataclass(frozen=True)
class Log:
    """One chain: whose it is, where it ends, where it was last announced and how it was last checked."""

    organization: Organization | None
    head: ChainHead | None
    announced: AnnouncedHead | None
    checked: AuditEntry | None

    @property
    def name(self) -> str:
        return self.organization.name if self.organization else PORTAL

    @property
    def key(self) -> str:
        """How the page's form names it."""
        return self.organization.slug if self.organization else ""

    @property
    def result(self) -> str:
        """How the last check ended, as it was recorded; empty before the first."""
        _, after = self.checked.changes.get("result", ("", "")) if self.checked else ("", "")
        return str(after)


@dataclass
class Check:
    """What a check of one log found."""

    log: str
    #: None when the time was over before the log's end.
    verification: Verification | None = None
    #: Up to which position all was checked.
    position: int = 0
    #: The first SHOWN_FAULTS of the faults, and how many there are.
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    seconds: float = 0

    def report(self, fault: Fault) -> None:
        self.fault_count += 1
        if len(self.faults) < SHOWN_FAULTS:
            self.faults.append(fault)

    @property
    def sentence(self) -> str:
        return result_of(self.fault_count, self.position, is_complete=self.verification is not None)


def logs_of(organizations: Sequence[Organization | None]) -> list[Log]:
    """Return where the logs of these organizations stand, None for that of the whole portal; a query of each kind."""
    own = [one.pk for one in organizations if one]
    heads = ChainHead.objects.in_bulk([chain_of(organization) for organization in organizations])
    latest = AnnouncedHead.objects.filter(chain=OuterRef("pk")).order_by("-position").values("pk")[:1]
    last = ChainHead.objects.filter(pk__in=list(heads)).values_list(Subquery(latest))
    announced = {row.chain: row for row in AnnouncedHead.objects.filter(pk__in=last)}
    checks = AuditEntry.objects.filter(action=AuditAction.VERIFY_LOG).order_by("-at")
    latest_check = checks.filter(organization=OuterRef("pk")).values("pk")[:1]
    own_checks = Organization.objects.filter(pk__in=own).values_list(Subquery(latest_check))
    checked = {row.organization_id: row for row in AuditEntry.objects.filter(pk__in=own_checks)}
    if None in organizations and (entry := checks.filter(organization=None).first()):
        checked[None] = entry
    return [
        Log(
            organization,
            head=heads.get(chain_of(organization)),
            announced=announced.get(chain_of(organization)),
            checked=checked.get(organization.pk if organization else None),
        )
        for organization in organizations
    ]


def check_log(organization: Organization | None, actor: User) -> Check:
    """Check the log for at most CHECKED_FOR, and record who checked; return what was found."""
    begun = timezone.now()
    check = Check(organization.name if organization else PORTAL)
    try:
        check.verification = verify_chain(chain_of(organization), check.report, until=begun + CHECKED_FOR)
        check.position = check.verification.position
    except OutOfTime as out:
        check.position = out.position
    check.seconds = (timezone.now() - begun).total_seconds()
    record_check(organization, actor, check.sentence, check.fault_count)
    return check


@require_http_methods(["GET", "POST"])
def log(request: HttpRequest) -> HttpResponse:
    """Show where each log ends; by POST check the chosen one."""
    access.require_member(request)
    check = None
    if request.method == "POST":
        slug = request.POST.get("organization", "")
        check = check_log(_log_owner(request, slug), access.current_user(request))
    organizations: list[Organization | None] = list(access.organizations(request)[: access.OFFERED])
    if access.is_superuser(request):
        organizations.append(None)
    request.current_app = admin.site.name
    shown = {
        **admin.site.each_context(request),
        "title": "Was the audit log changed?",
        "note": "Each row of the log holds the hash of the row before it. A check reads every row, and finds any that "
        "was changed, removed or added outside the portal.",
        "logs": logs_of(organizations),
        "check": check,
    }
    return TemplateResponse(request, "admin/log.html", shown)


def _log_owner(request: HttpRequest, slug: str) -> Organization | None:
    """Return whose log is to be checked; None for that of the whole portal, which only superusers may."""
    if not slug and access.is_superuser(request):
        return None
    organization = access.organizations(request).filter(slug=slug).first()
    if organization is None:
        raise PermissionDenied
    return organization
