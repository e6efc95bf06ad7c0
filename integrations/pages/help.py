"""The pages of the help, for every member: what to do where, and what each thing means.

Of an organization they show its name and its rules alone.
"""

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.text import capfirst
from django.views.generic import TemplateView

from integrations.clients.models import RECORDS_KEPT_FOR
from integrations.core.invitation_status import InvitationStatus
from integrations.core.vocabulary import ErasureCause, ProgressTag
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import EmailKind
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import RULES, TOLD_AFTER_MINUTES
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
from integrations.pages.mappings.mapping_edit import MappingCreateView
from integrations.pages.mappings.mapping_list import MappingListView
from integrations.pages.preview import PreviewView
from integrations.pages.report import ReportView
from integrations.pages.settings.lever_connect import DisconnectLeverView
from integrations.pages.settings.notifications import ChooseEmailsView
from integrations.pages.settings.rules import RulesView, rule_in_words
from integrations.pages.settings.team import ChangeRoleView, RequireSecondFactorView


def email_kinds() -> list[tuple[EmailKind, str]]:
    """Return every kind of e-mail that members choose between, and the roles that get it without choosing."""
    roles = {
        kind: [str(label) for value, label in Membership.Role.choices if value in kind.record.roles]
        for kind in EmailKind
    }
    return [(kind, ", ".join(labels)) for kind, labels in roles.items()]


def rules_in_words(organization: Organization) -> list[tuple[str, str, str]]:
    """Return each rule of the organization: its label, how it is set, and its help."""
    return [
        (str(column.verbose_name), rule_in_words(organization, name), str(column.help_text))
        for name, column in RULES.items()
    ]


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
    ("Choose your own e-mails", ChooseEmailsView),
    ("See the mappings", MappingListView),
    ("Preview what a move would do", PreviewView),
    ("See reports, and Health on the overview", ReportView),
    ("Download candidates as CSV", CandidateExportView),
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
    ("Require a second factor", RequireSecondFactorView),
)


def act_rows() -> list[tuple[str, list[tuple[str, bool]]]]:
    """Return every act, and for each role whether it may."""
    roles = Membership.Role.choices
    return [(text, [(label, value in view.allowed_roles) for value, label in roles]) for text, view in ACTS]


class HelpPage(OrganizationMixin, TemplateView):
    """A page that says the same to every organization but for its name and its rules."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            retentions=retention_of(self.organization),
            rules=rules_in_words(self.organization),
            **kwargs,
        )


def page(name: str, **shown: object) -> Callable[..., HttpResponseBase]:
    """Return the view of the page with this template, which shows these values."""
    return HelpPage.as_view(template_name=f"integrations/help/{name}.html", extra_context=shown)


candidates = page(
    "candidates",
    statuses=list(InvitationStatus),
    told_after_minutes=TOLD_AFTER_MINUTES,
    unstarted_tag=ProgressTag.NOT_STARTED_YET,
    ended_tag=ProgressTag.NOT_STARTED,
)
set_up = page("set_up", invited_tag=ProgressTag.INVITED)
results = page("results")
team = page(
    "team",
    labels=Membership.Role.labels,
    acts=act_rows(),
    kinds=email_kinds(),
    causes=[capfirst(cause.label) for cause in ErasureCause],
)
