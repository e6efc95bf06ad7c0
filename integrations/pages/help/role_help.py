"""Which role may do what, read from the pages and forms themselves."""

from dataclasses import dataclass

from integrations.models import Membership
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.activity import ActivityView
from integrations.pages.activity.candidate_data import CandidateDataView
from integrations.pages.activity.candidate_export import CandidateExportView
from integrations.pages.activity.delivery import ReplayView
from integrations.pages.activity.effect_actions import RetryEffectView
from integrations.pages.activity.invitation_actions import (
    ApproveView,
    InviteAgainView,
    RecordDecisionView,
    ResolveAsSentView,
)
from integrations.pages.audit_log import AuditLogView
from integrations.pages.dry_run.dry_run import DryRunView
from integrations.pages.health import HealthView
from integrations.pages.mappings.mapping_edit import MappingCreateView
from integrations.pages.mappings.mapping_list import MappingListView
from integrations.pages.reports.report import ReportView
from integrations.pages.settings.email_templates import EmailListView
from integrations.pages.settings.lever_disconnect import DisconnectLeverView
from integrations.pages.settings.members import ChangeRoleView
from integrations.pages.settings.notifications import NotificationsView, TeamNotificationsView
from integrations.pages.settings.rules import RulesView
from integrations.pages.settings.security import SecurityView


@dataclass(frozen=True)
class Act:
    """Something people do, and the view that lets them."""

    text: str
    view: type[OrganizationMixin]


ACTS = (
    Act("See candidates, their results and why somebody was not invited", ActivityView),
    Act("Choose your own e-mails and time zone", NotificationsView),
    Act("See the mappings", MappingListView),
    Act("Try out with “What if…” what a move would do", DryRunView),
    Act("See reports", ReportView),
    Act("Download candidates as CSV", CandidateExportView),
    Act("See Health", HealthView),
    Act("Retry something that could not be sent or written", RetryEffectView),
    Act("Record the decision about a candidate who failed", RecordDecisionView),
    Act("Send an invitation that is on hold, or not", ApproveView),
    Act("Say whether an uncertain invitation was sent", ResolveAsSentView),
    Act("Send an assessment again", InviteAgainView),
    Act("Have a stage change decided again", ReplayView),
    Act("Add and change mappings", MappingCreateView),
    Act("Change the rules, pause the portal, end a pause", RulesView),
    Act("Change the wording of e-mails", EmailListView),
    Act("Read and download the audit log", AuditLogView),
    Act("See everything that is stored about a candidate", CandidateDataView),
    Act("Connect Lever and CodeScreen, disconnect them", DisconnectLeverView),
    Act("Invite and remove members, change their roles", ChangeRoleView),
    Act("Choose who gets which e-mails", TeamNotificationsView),
    Act("Require a second factor, set up single sign-on", SecurityView),
)


@dataclass(frozen=True)
class ActRow:
    """One act, and for each role whether it may."""

    text: str
    cells: list[tuple[str, bool]]


def role_labels() -> list[str]:
    """Return the roles, the one that may do most first."""
    return [label for _, label in Membership.Role.choices]


def act_rows() -> list[ActRow]:
    """Return every act with the roles' answers."""
    return [
        ActRow(
            act.text, [(label, value in act.view.allowed_roles) for value, label in Membership.Role.choices]
        )
        for act in ACTS
    ]
