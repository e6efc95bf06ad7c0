"""The pages of the help, for every member. Of an organization they show its name and its rules alone."""

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.text import capfirst
from django.views.generic import TemplateView

from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import HelpSection, VerdictCode
from integrations.core.vocabulary import ErasureCause, ProgressTag
from integrations.effects.wait_notes import TOLD_AFTER_MINUTES
from integrations.lever.oauth import scopes_of
from integrations.members.models.membership import TEAM, Membership
from integrations.pages.access import OrganizationMixin
from integrations.pages.help import lists
from integrations.pages.help.lists import audit_questions
from integrations.pages.help.topics import AUDIENCES
from integrations.privacy import processing


class HelpPage(OrganizationMixin, TemplateView):
    """A page that says the same to every organization but for its name."""


def page(name: str, **shown: object) -> Callable[..., HttpResponseBase]:
    """Return the view of the page with this template, which shows these values."""
    return HelpPage.as_view(template_name=f"integrations/help/{name}.html", extra_context=shown)


index = page("index", audiences=AUDIENCES)
set_up = page("set_up", invited_tag=ProgressTag.INVITED)
verdicts = page(
    "verdicts",
    sections=[
        (section, [code for code in VerdictCode if code.record.section is section]) for section in HelpSection
    ],
)
invitations = page(
    "invitations",
    statuses=list(InvitationStatus),
    told_after_minutes=TOLD_AFTER_MINUTES,
    unstarted_tag=ProgressTag.NOT_STARTED_YET,
    ended_tag=ProgressTag.NOT_STARTED,
)
results = page("results")
roles = page("roles", labels=Membership.Role.labels, acts=lists.act_rows())
emails = page("emails", kinds=lists.email_kinds(), mailed=lists.MAILED)


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
