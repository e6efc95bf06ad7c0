"""The lists in the help: the kinds of e-mail, roles, what is stored, and auditors' questions."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst

from integrations.clients.models import RECORDS_KEPT_FOR
from integrations.data_inventory import inventory
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import EmailKind
from integrations.organizations.models.organization import Organization
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.actions import (
    CancelView,
    InviteAgainView,
    ReplayView,
    ResolveAsSentView,
    RetryEffectView,
)
from integrations.pages.activity.activity import ActivityView, CandidateExportView
from integrations.pages.audit_log import AuditLogView
from integrations.pages.candidate.data import CandidateDataView
from integrations.pages.dry_run import DryRunView
from integrations.pages.health import HealthView
from integrations.pages.mappings.mapping_edit import MappingCreateView
from integrations.pages.mappings.mapping_list import MappingListView
from integrations.pages.report import ReportView
from integrations.pages.settings.lever_connect import DisconnectLeverView
from integrations.pages.settings.notifications import NotificationsView
from integrations.pages.settings.rules import RulesView
from integrations.pages.settings.team import ChangeRoleView, RequireSecondFactorView


def email_kinds() -> list[tuple[EmailKind, str]]:
    """Return every kind of e-mail that members choose between, and the roles that get it without choosing."""
    roles = {
        kind: [str(label) for value, label in Membership.Role.choices if value in kind.record.roles]
        for kind in EmailKind
    }
    return [(kind, ", ".join(labels)) for kind, labels in roles.items()]


@dataclass(frozen=True)
class Mailed:
    """Who gets an e-mail when something happens, from the portal and from CodeScreen."""

    when: str
    by_codescreen: str = "nobody"
    kind: EmailKind | None = None


#: CodeScreen's part is what its user guide says: the candidate's templates, and the notifications of its users.
MAILED = (
    Mailed("The assessment is sent", "the candidate: the invitation"),
    Mailed("The candidate starts", "the candidate: the details, and an answer to the first commit"),
    Mailed("30 minutes before the time is over", "the candidate: a warning"),
    Mailed("The candidate submits", "the candidate: an acknowledgement"),
    Mailed("Somebody passes, fails or expires", "its own users, unless they unsubscribed", EmailKind.RESULTS),
    Mailed("Feedback is given or changes are requested in CodeScreen", "the candidate"),
    Mailed("An invitation, a candidate or a connection needs somebody", kind=EmailKind.PROBLEMS),
)


def audit_questions() -> list[tuple[str, str, str]]:
    """Return questions of auditors: in words where each answer is, and the answer's address in the admin."""
    return [
        (
            "Why was this candidate not invited?",
            "Find the person by name under Candidates: their page says why. The admin lists everybody not invited.",
            _rows("candidate", invitation__isnull="True"),
        ),
        (
            "Who changed a mapping?",
            "The audit log has who, when, and the values before and after.",
            _rows("auditentry", target_kind="mapping"),
        ),
        (
            "Was anyone invited twice?",
            "The list has every second round. A second invitation in the same round can't be stored.",
            _rows("invitation", round__gt="1"),
        ),
        (
            "What exactly was written to Lever?",
            "A candidate's page has it word for word. The admin has all of it.",
            _rows("effect"),
        ),
        (
            "What waits for a person?",
            "The admin's first page begins with what waits, each with its number.",
            reverse("admin:index"),
        ),
        (
            "Which messages had a wrong signature?",
            "Each refusal is counted, with the reason and the time.",
            _rows("webhookrejection"),
        ),
    ]


def _rows(model: str, **filters: str) -> str:
    address = reverse(f"admin:integrations_{model}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def about_candidates() -> list[tuple[str, list[str]]]:
    """Return what each kind of record is for, and what in it is about candidates."""
    return [_stored(table.holds, table.candidate) for table in inventory() if table.candidate]


def about_members() -> list[tuple[str, list[str]]]:
    """Return what each kind of record is for, and what in it is about the people who use the portal."""
    return [_stored(table.holds, table.user) for table in inventory() if table.user]


def _stored(holds: str, personal: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the record's texts, without the marks around the names of columns, each text once."""
    texts = [capfirst(text.replace("`", "")) for text in personal.values()]
    return capfirst(holds.replace("`", "")), list(dict.fromkeys(texts))


def retention_of(organization: Organization) -> list[tuple[str, int]]:
    """Return how many days the organization keeps each kind of data; none where it is kept without a limit."""
    return [
        (
            "Names, addresses and texts about a candidate, counted from the end of the assessment",
            organization.retention_days,
        ),
        ("The full text of messages from Lever and CodeScreen", RECORDS_KEPT_FOR.days),
        (
            "Records of calls to Lever and CodeScreen that no candidate's invitation needs",
            RECORDS_KEPT_FOR.days,
        ),
    ]


#: What people do, and the view that lets them.
ACTS: tuple[tuple[str, type[OrganizationMixin]], ...] = (
    ("See candidates, their results and why somebody was not invited", ActivityView),
    ("Choose your own e-mails", NotificationsView),
    ("See the mappings", MappingListView),
    ("Try out with “What if…” what a move would do", DryRunView),
    ("See reports", ReportView),
    ("Download candidates as CSV", CandidateExportView),
    ("See Health", HealthView),
    ("Retry something that could not be sent or written", RetryEffectView),
    ("Send or cancel an invitation that is on hold", CancelView),
    ("Say whether a possibly sent invitation was sent", ResolveAsSentView),
    ("Send an assessment again", InviteAgainView),
    ("Have a stage change decided again", ReplayView),
    ("Add and change mappings", MappingCreateView),
    ("Change the rules, pause sending, resume it", RulesView),
    ("Read and download the audit log", AuditLogView),
    ("See everything that is stored about a candidate", CandidateDataView),
    ("Connect Lever and CodeScreen, disconnect them", DisconnectLeverView),
    ("Invite and remove members, change their roles", ChangeRoleView),
    ("Require a second factor, set up single sign-on", RequireSecondFactorView),
)


def act_rows() -> list[tuple[str, list[tuple[str, bool]]]]:
    """Return every act, and for each role whether it may."""
    roles = Membership.Role.choices
    return [(text, [(label, value in view.allowed_roles) for value, label in roles]) for text, view in ACTS]
