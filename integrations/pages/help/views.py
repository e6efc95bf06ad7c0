"""The pages of the help. Every member may read them; of an organization they show its name and its rules alone."""

from typing import Any

from django.views.generic import TemplateView

from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import HelpSection, VerdictCode
from integrations.lever.oauth import scopes_of
from integrations.members.models.membership import TEAM
from integrations.notifications.models.preferences import MOST_ADDRESSES
from integrations.pages.access import OrganizationMixin
from integrations.pages.help import lists
from integrations.pages.help.lists import audit_questions, email_helps
from integrations.pages.help.pictures import PICTURES
from integrations.pages.help.topics import AUDIENCES, search

#: A longer search is cut off here.
LONGEST_SEARCH = 200


class HelpView(OrganizationMixin, TemplateView):
    """The index: questions by who asks them, and those that a search finds."""

    template_name = "integrations/help/index.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the questions, and what was searched for."""
        text = self.request.GET.get("q", "").strip()[:LONGEST_SEARCH]
        return super().get_context_data(audiences=AUDIENCES, q=text, found=search(text), **kwargs)


class SetUpView(OrganizationMixin, TemplateView):
    """The set-up, step by step."""

    template_name = "integrations/help/set_up.html"
    extra_context = {"pictures": PICTURES}


class VerdictsView(OrganizationMixin, TemplateView):
    """Every verdict, what it means and what to do."""

    template_name = "integrations/help/verdicts.html"
    extra_context = {
        "sections": [
            (section, [code for code in VerdictCode if code.record.section is section])
            for section in HelpSection
        ],
        "pictures": PICTURES,
    }


class InvitationsView(OrganizationMixin, TemplateView):
    """The journey of an invitation, its statuses and the tags in Lever."""

    template_name = "integrations/help/invitations.html"
    extra_context = {"statuses": list(InvitationStatus), "pictures": PICTURES}


class ResultsView(OrganizationMixin, TemplateView):
    """The result in Lever: rating, score, outcome, report, and how it may change."""

    template_name = "integrations/help/results.html"
    extra_context = {"pictures": PICTURES}


class RolesView(OrganizationMixin, TemplateView):
    """The four roles and what each may do."""

    template_name = "integrations/help/roles.html"
    extra_context = {"labels": lists.role_labels(), "acts": lists.act_rows()}


class EmailsView(OrganizationMixin, TemplateView):
    """Every kind of e-mail, when it is sent and who gets it."""

    template_name = "integrations/help/emails.html"
    extra_context = {"kinds": email_helps()}


class AlertsHelpView(OrganizationMixin, TemplateView):
    """What alerts there are, how a chat room or a program gets them, and what to do when one doesn't arrive."""

    template_name = "integrations/help/alerts.html"
    extra_context = {
        "topics": lists.topic_helps(),
        "states": lists.STATES,
        "verify": lists.VERIFY,
        "most": MOST_ADDRESSES,
    }


class PrivacyView(OrganizationMixin, TemplateView):
    """What is stored about people, how long, and how it is erased."""

    template_name = "integrations/help/privacy.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the inventory and the organization's own rules about keeping data."""
        return super().get_context_data(
            candidate_data=lists.about_candidates(),
            member_data=lists.about_members(),
            retentions=lists.retention_of(self.organization),
            causes=lists.erasure_causes(),
            scopes=scopes_of(attaches_files=True).items(),
            **kwargs,
        )


class AuditView(OrganizationMixin, TemplateView):
    """The questions of auditors and where each answer is."""

    template_name = "integrations/help/audit.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the questions, and whether the person may open the admin."""
        may_open = self.user.is_staff and self.membership.role in TEAM
        return super().get_context_data(questions=audit_questions(), may_open_admin=may_open, **kwargs)
