"""The pages of the help, with their pictures, and the answers that its index lists and searches, for every member.

Of an organization they show its name and its rules alone. The tests make the pictures from the running product, and
fail once a page looks otherwise.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypedDict

from django.urls import reverse
from django.utils.text import capfirst
from django.views.generic import TemplateView

from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import HelpSection, VerdictCode
from integrations.core.vocabulary import ErasureCause, ProgressTag
from integrations.lever.oauth import scopes_of
from integrations.members.models.membership import TEAM, Membership
from integrations.notifications.models.email_kind import AlertTopic, EmailKind
from integrations.notifications.models.preferences import MOST_ADDRESSES
from integrations.pages.access import OrganizationMixin
from integrations.pages.help import lists
from integrations.pages.help.lists import audit_questions

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


class Topic(StrEnum):
    """A page of the help, by the name of its address."""

    SET_UP = "help-set-up"
    VERDICTS = "help-verdicts"
    INVITATIONS = "help-invitations"
    RESULTS = "help-results"
    ROLES = "help-roles"
    EMAILS = "help-emails"
    ALERTS = "help-alerts"
    PRIVACY = "help-privacy"
    AUDIT = "help-audit"


@dataclass(frozen=True)
class Answer:
    """A question of a reader, and where on the pages the answer is. `words` are other words people search with."""

    question: str
    topic: Topic
    anchor: str
    words: str = ""

    @property
    def url(self) -> str:
        """The address of the answer."""
        return f"{reverse(self.topic)}#{self.anchor}"


@dataclass(frozen=True)
class Audience:
    """Who somebody is, and what people like them ask first."""

    code: str
    title: str
    lead: str
    answers: tuple[Answer, ...]


_FOR_RECRUITERS = (
    Answer("How do I send an assessment?", Topic.INVITATIONS, "send", "invite invitation test move stage"),
    Answer("Why was my candidate not invited?", Topic.VERDICTS, "fix", "nothing sent no test missing reason"),
    Answer("What do the tags in Lever mean?", Topic.INVITATIONS, "tags", "progress tag"),
    Answer(
        "What do the statuses of an invitation mean?",
        Topic.INVITATIONS,
        "statuses",
        "state held uncertain failed pending",
    ),
    Answer(
        "Can I send an assessment again?",
        Topic.INVITATIONS,
        "again",
        "resend second round repeat e-mail lost",
    ),
    Answer("Where do I find the result?", Topic.RESULTS, "where", "feedback score report link passed failed"),
    Answer("How is the rating from 1 to 4 made?", Topic.RESULTS, "rating", "score stars feedback"),
    Answer(
        "Why does the result say “not stated”?", Topic.RESULTS, "not-stated", "passed failed missing outcome"
    ),
    Answer("Why did a result change?", Topic.RESULTS, "changes", "regrade override new attempt"),
)
_FOR_ADMINS = (
    Answer("How do I connect Lever?", Topic.SET_UP, "lever", "accept consent authorize sign in oauth"),
    Answer(
        "How do stage changes reach the portal?", Topic.SET_UP, "webhook", "webhook signature token verify"
    ),
    Answer("How do I connect CodeScreen?", Topic.SET_UP, "codescreen", "api key"),
    Answer(
        "How do I add a stage that sends assessments?", Topic.SET_UP, "stage", "pipeline codescreen stage"
    ),
    Answer("How does a role get its assessment?", Topic.SET_UP, "assessment", "mapping tag default posting"),
    Answer(
        "Something doesn't work. Where do I look?", Topic.SET_UP, "problems", "error broken health failing"
    ),
    Answer("How do I disconnect Lever?", Topic.SET_UP, "disconnect", "revoke remove access disable stop"),
    Answer(
        "How do I attach the report as a PDF?",
        Topic.RESULTS,
        "file",
        "file attachment download document report pdf files permission",
    ),
    Answer(
        "What do I do with invitations on hold?", Topic.INVITATIONS, "on-hold", "approve approval bulk limit"
    ),
    Answer("What is a possibly sent invitation?", Topic.INVITATIONS, "uncertain", "uncertain answer lost"),
    Answer(
        "How do I invite somebody who was not invited?",
        Topic.INVITATIONS,
        "not-invited",
        "choose assessment bulk many undo no test",
    ),
    Answer("Who may do what?", Topic.ROLES, "table", "permission right role access"),
    Answer("Who gets which e-mails?", Topic.EMAILS, "kinds", "notification mail alert unsubscribe"),
    Answer("How do I get alerts in Slack?", Topic.ALERTS, "slack", "chat channel webhook mattermost"),
    Answer(
        "How does my program get alerts?",
        Topic.ALERTS,
        "signed",
        "signed webhook standard webhooks json secret",
    ),
    Answer("How do I verify an alert's signature?", Topic.ALERTS, "verify", "signed webhook whsec hmac"),
    Answer("An alert doesn't arrive. What do I do?", Topic.ALERTS, "problems", "stopped refused failed test"),
)
_FOR_AUDITORS = (
    Answer(
        "Where are the answers to my questions?", Topic.AUDIT, "questions", "who what when evidence records"
    ),
    Answer(
        "How do I check that nobody edited the log?", Topic.AUDIT, "whole", "verify audit chain hash tamper"
    ),
    Answer("How do I get evidence about one candidate?", Topic.AUDIT, "evidence", "pack export zip download"),
    Answer("What is stored about a candidate?", Topic.PRIVACY, "candidates", "personal data gdpr inventory"),
    Answer("What is stored about members?", Topic.PRIVACY, "members", "personal data users account"),
    Answer("How long is data kept?", Topic.PRIVACY, "how-long", "retention days delete"),
    Answer(
        "How is a candidate's data erased?", Topic.PRIVACY, "erasure", "forget delete remove anonymize gdpr"
    ),
    Answer("Which access to Lever does the portal have?", Topic.PRIVACY, "lever", "scopes permissions oauth"),
)
AUDIENCES = (
    Audience(
        "recruiters",
        "For recruiters",
        "You move candidates in Lever and wait for their results.",
        _FOR_RECRUITERS,
    ),
    Audience(
        "admins",
        "For Admins and Super Admins",
        "You connect the platforms, set the rules and decide what waits.",
        _FOR_ADMINS,
    ),
    Audience(
        "auditors",
        "For auditors and data protection",
        "You check what happened, who changed what, and what is stored.",
        _FOR_AUDITORS,
    ),
)


def search(text: str) -> list[Answer]:
    """Return the answers in which every word of the text occurs, in any case; none for an empty text."""
    wanted = text.casefold().split()
    if not wanted:
        return []
    found = [
        answer
        for answer in all_answers()
        if all(word in f"{answer.question} {answer.words}".casefold() for word in wanted)
    ]
    return list(dict.fromkeys(found))


def all_answers() -> Iterator[Answer]:
    """Yield every answer: those of the index, every verdict, every status and every kind of e-mail."""
    for audience in AUDIENCES:
        yield from audience.answers
    for verdict in VerdictCode:
        words = f"{verdict} {verdict.record.meaning}"
        yield Answer(f"Verdict “{verdict.label}”", Topic.VERDICTS, verdict.value, words)
    for status in InvitationStatus:
        words = f"{status.record.meaning} {' '.join(status.record.tags)}"
        yield Answer(f"Status “{status.label}”", Topic.INVITATIONS, f"status-{status}", words)
    for kind in EmailKind:
        yield Answer(f"E-mail “{kind.label}”", Topic.EMAILS, f"kind-{kind.value}", kind.record.purpose)


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
    extra_context = {"statuses": list(InvitationStatus), "pictures": PICTURES}


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
