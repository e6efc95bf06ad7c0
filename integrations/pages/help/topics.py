"""The answers that the help's index lists and searches: each a question of a reader, and where the answer stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.urls import reverse

from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.notifications.models.email_kind import EmailKind


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
        "What do I do with invitations on hold?",
        Topic.INVITATIONS,
        "on-hold",
        "approve approval bulk limit origin agency extra time accommodation",
    ),
    Answer(
        "How do I remind candidates who haven't started?",
        Topic.INVITATIONS,
        "reminders",
        "reminder not started deadline days automation workflow tag",
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
