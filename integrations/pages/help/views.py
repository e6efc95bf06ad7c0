"""The pages of the help, for every member. Of an organization they show its name and its rules alone."""

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.text import capfirst
from django.views.generic import TemplateView

from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import HelpSection, VerdictCode
from integrations.core.vocabulary import ErasureCause, ProgressTag
from integrations.lever.oauth import scopes_of
from integrations.members.models.membership import Membership
from integrations.organizations.models.policies import TOLD_AFTER_MINUTES
from integrations.pages.access import OrganizationMixin
from integrations.pages.help import lists
from integrations.privacy import processing


class HelpPage(OrganizationMixin, TemplateView):
    """A page that says the same to every organization but for its name and its rules."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            retentions=lists.retention_of(self.organization),
            rules=lists.rules_in_words(self.organization),
            **kwargs,
        )


def page(name: str, **shown: object) -> Callable[..., HttpResponseBase]:
    """Return the view of the page with this template, which shows these values."""
    return HelpPage.as_view(template_name=f"integrations/help/{name}.html", extra_context=shown)


candidates = page(
    "candidates",
    sections=[
        (section, [code for code in VerdictCode if code.record.section is section]) for section in HelpSection
    ],
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
    acts=lists.act_rows(),
    kinds=lists.email_kinds(),
    processing={
        "Why": processing.PURPOSES,
        "What": processing.CATEGORIES,
        "Where it comes from": processing.SOURCES,
        "Who gets it": processing.RECIPIENTS,
        "What a candidate may ask for": processing.RIGHTS,
        "Who decides": (processing.DECISIONS,),
    },
    causes=[capfirst(cause.label) for cause in ErasureCause],
    scopes=scopes_of(attaches_files=True).items(),
)
