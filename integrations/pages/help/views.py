"""The pages of the help, for every member. Of an organization they show its name and its rules alone."""

from typing import Any

from django.utils.text import capfirst
from django.views.generic import TemplateView

from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import HelpSection, VerdictCode
from integrations.core.vocabulary import ErasureCause, ProgressTag
from integrations.effects.wait_notes import TOLD_AFTER_MINUTES
from integrations.lever.oauth import scopes_of
from integrations.members.models.membership import TEAM, Membership
from integrations.notifications.models.email_kind import AlertTopic, CandidateStep
from integrations.notifications.models.preferences import MOST_ADDRESSES
from integrations.pages.access import OrganizationMixin
from integrations.pages.help import lists
from integrations.pages.help.lists import audit_questions
from integrations.pages.help.topics import AUDIENCES
from integrations.privacy import processing


class HelpView(OrganizationMixin, TemplateView):
    """The index: questions by who asks them."""

    template_name = "integrations/help/index.html"
    extra_context = {"audiences": AUDIENCES}


class SetUpView(OrganizationMixin, TemplateView):
    """The set-up, step by step."""

    template_name = "integrations/help/set_up.html"
    extra_context = {"invited_tag": ProgressTag.INVITED}


class VerdictsView(OrganizationMixin, TemplateView):
    """Every verdict, what it means and what to do."""

    template_name = "integrations/help/verdicts.html"
    extra_context = {
        "sections": [
            (section, [code for code in VerdictCode if code.record.section is section])
            for section in HelpSection
        ],
    }


class InvitationsView(OrganizationMixin, TemplateView):
    """The journey of an invitation, its statuses and the tags in Lever."""

    template_name = "integrations/help/invitations.html"
    extra_context = {
        "statuses": list(InvitationStatus),
        "told_after_minutes": TOLD_AFTER_MINUTES,
        "unstarted_tag": ProgressTag.NOT_STARTED_YET,
        "ended_tag": ProgressTag.NOT_STARTED,
    }


class ResultsView(OrganizationMixin, TemplateView):
    """The result in Lever: rating, score, outcome, report, and how it may change."""

    template_name = "integrations/help/results.html"


class RolesView(OrganizationMixin, TemplateView):
    """The four roles and what each may do."""

    template_name = "integrations/help/roles.html"
    extra_context = {"labels": Membership.Role.labels, "acts": lists.act_rows()}


class EmailsView(OrganizationMixin, TemplateView):
    """Every kind of e-mail, when it is sent and who gets it."""

    template_name = "integrations/help/emails.html"
    extra_context = {"kinds": lists.email_kinds(), "mailed": lists.MAILED}


class AlertsHelpView(OrganizationMixin, TemplateView):
    """What alerts there are, how a chat room or a program gets them, and what to do when one doesn't arrive."""

    template_name = "integrations/help/alerts.html"
    extra_context = {
        "topics": list(AlertTopic),
        "steps": list(CandidateStep),
        "states": lists.STATES,
        "verify": lists.VERIFY,
        "most": MOST_ADDRESSES,
    }


class PrivacyView(OrganizationMixin, TemplateView):
    """What is stored about people, how long, and how it is erased."""

    template_name = "integrations/help/privacy.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            processing={
                "Why": processing.PURPOSES,
                "What": processing.CATEGORIES,
                "Where it comes from": processing.SOURCES,
                "Who gets it": processing.RECIPIENTS,
                "What a candidate may ask for": processing.RIGHTS,
                "Who decides": (processing.DECISIONS,),
            },
            candidate_data=lists.about_candidates(),
            member_data=lists.about_members(),
            retentions=lists.retention_of(self.organization),
            causes=[capfirst(cause.label) for cause in ErasureCause],
            scopes=scopes_of(attaches_files=True).items(),
            **kwargs,
        )


class AuditView(OrganizationMixin, TemplateView):
    """The questions of auditors and where each answer is."""

    template_name = "integrations/help/audit.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_open = self.user.is_staff and self.membership.role in TEAM
        return super().get_context_data(questions=audit_questions(), may_open_admin=may_open, **kwargs)
