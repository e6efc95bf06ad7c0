"""The pages of the help, with their pictures, for every member.

Of an organization they show its name and its rules alone. The tests make the pictures from the running product, and
fail once a page looks otherwise.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypedDict

from django.utils.text import capfirst
from django.views.generic import TemplateView

from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import HelpSection, VerdictCode
from integrations.core.vocabulary import ErasureCause, ProgressTag
from integrations.effects.wait_notes import TOLD_AFTER_MINUTES
from integrations.lever.oauth import scopes_of
from integrations.members.models.membership import TEAM, Membership
from integrations.notifications.models.email_kind import AlertTopic
from integrations.notifications.models.preferences import MOST_ADDRESSES
from integrations.pages.access import OrganizationMixin
from integrations.pages.help import lists
from integrations.pages.help.lists import audit_questions
from integrations.pages.help.topics import AUDIENCES, search

#: What is recorded when the pictures are made.
RECORD: Final = Path(__file__).with_name("pictures.json")


class MadePicture(TypedDict):
    """A picture as it was made: its size on a page, and a hash of what the part of the page said then."""

    width: int
    height: int
    shows: str


@dataclass(frozen=True)
class Picture:
    """One picture: its file's name, what it shows in words, and its size on a page."""

    name: str
    alt: str
    width: int
    height: int

    @property
    def path(self) -> str:
        """The file's path below the static files."""
        return f"help/{self.name}.webp"


_ALTS: Mapping[str, str] = {
    "connect_lever": "The card “Lever” with the badge “Not connected” and the button “Connect Lever”.",
    "make_webhook": "The card “Lever's webhook” with the badge “Not set up” and the button “Make the webhook for me”.",
    "enter_key": "The card “CodeScreen” with the field “API key” and the button “Save changes”.",
    "not_invited": (
        "A candidate's page: “Not invited: Unknown assessment”, the reason, what to do next, and the buttons "
        "“Preview retry” and “Retry now”."
    ),
    "on_hold": "A candidate's page: “On hold”, the reason, and the buttons “Send invitation” and “Cancel invitation”.",
    "result": "A candidate's page: Passed, with the score, the rating and the link to the report.",
}


def recorded() -> dict[str, MadePicture]:
    """Return what is recorded of each picture that was made."""
    made: dict[str, MadePicture] = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    return made


_MADE = recorded()
#: Every picture that was made, by name.
PICTURES: Final = {
    name: Picture(name, alt, _MADE[name]["width"], _MADE[name]["height"])
    for name, alt in _ALTS.items()
    if name in _MADE
}
#: Every picture that there should be.
NAMES: Final = tuple(_ALTS)
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
    extra_context = {"invited_tag": ProgressTag.INVITED, "pictures": PICTURES}


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
    extra_context = {
        "statuses": list(InvitationStatus),
        "pictures": PICTURES,
        "told_after_minutes": TOLD_AFTER_MINUTES,
        "unstarted_tag": ProgressTag.NOT_STARTED_YET,
        "ended_tag": ProgressTag.NOT_STARTED,
    }


class ResultsView(OrganizationMixin, TemplateView):
    """The result in Lever: rating, score, outcome, report, and how it may change."""

    template_name = "integrations/help/results.html"
    extra_context = {"pictures": PICTURES}


class RolesView(OrganizationMixin, TemplateView):
    """The four roles and what each may do."""

    template_name = "integrations/help/roles.html"
    extra_context = {"labels": Membership.Role.labels, "acts": lists.act_rows()}


class EmailsView(OrganizationMixin, TemplateView):
    """Every kind of e-mail, when it is sent and who gets it."""

    template_name = "integrations/help/emails.html"
    extra_context = {"kinds": lists.email_kinds()}


class AlertsHelpView(OrganizationMixin, TemplateView):
    """What alerts there are, how a chat room or a program gets them, and what to do when one doesn't arrive."""

    template_name = "integrations/help/alerts.html"
    extra_context = {
        "topics": list(AlertTopic),
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
            causes=[capfirst(cause.label) for cause in ErasureCause],
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
