"""The answers that the help's index lists: each a question of a reader, and where the answer stands."""

from dataclasses import dataclass
from enum import StrEnum

from django.urls import reverse


class Topic(StrEnum):
    """A page of the help, by the name of its address."""

    SET_UP = "help-set-up"
    VERDICTS = "help-verdicts"
    INVITATIONS = "help-invitations"
    RESULTS = "help-results"
    ROLES = "help-roles"
    EMAILS = "help-emails"
    PRIVACY = "help-privacy"
    AUDIT = "help-audit"


@dataclass(frozen=True)
class Answer:
    """A question of a reader, and where on the pages the answer is."""

    question: str
    topic: Topic
    anchor: str

    @property
    def url(self) -> str:
        return f"{reverse(self.topic)}#{self.anchor}"


@dataclass(frozen=True)
class Audience:
    """Who somebody is, and what people like them ask first."""

    code: str
    title: str
    lead: str
    answers: tuple[Answer, ...]


_FOR_RECRUITERS = (
    Answer("How do I send an assessment?", Topic.INVITATIONS, "send"),
    Answer("Why was my candidate not invited?", Topic.VERDICTS, "fix"),
    Answer("What do the tags in Lever mean?", Topic.INVITATIONS, "tags"),
    Answer(
        "What do the statuses of an invitation mean?",
        Topic.INVITATIONS,
        "statuses",
    ),
    Answer(
        "Can I send an assessment again?",
        Topic.INVITATIONS,
        "again",
    ),
    Answer("Where do I find the result?", Topic.RESULTS, "where"),
    Answer("How is the rating from 1 to 4 made?", Topic.RESULTS, "rating"),
    Answer("Why does the result say “not stated”?", Topic.RESULTS, "not-stated"),
    Answer("Why did a result change?", Topic.RESULTS, "changes"),
)
_FOR_ADMINS = (
    Answer("How do I connect Lever?", Topic.SET_UP, "lever"),
    Answer("How do stage changes reach the portal?", Topic.SET_UP, "webhook"),
    Answer("How do I connect CodeScreen?", Topic.SET_UP, "codescreen"),
    Answer("How do I add a stage that sends assessments?", Topic.SET_UP, "stage"),
    Answer("How does a role get its assessment?", Topic.SET_UP, "assessment"),
    Answer("Something doesn't work. Where do I look?", Topic.SET_UP, "problems"),
    Answer("How do I disconnect Lever?", Topic.SET_UP, "disconnect"),
    Answer(
        "How do I attach the report as a PDF?",
        Topic.RESULTS,
        "file",
    ),
    Answer(
        "What do I do with invitations on hold?",
        Topic.INVITATIONS,
        "on-hold",
    ),
    Answer(
        "How do I remind candidates who haven't started?",
        Topic.INVITATIONS,
        "reminders",
    ),
    Answer("What is a possibly sent invitation?", Topic.INVITATIONS, "uncertain"),
    Answer(
        "How do I invite somebody who was not invited?",
        Topic.INVITATIONS,
        "not-invited",
    ),
    Answer("Who may do what?", Topic.ROLES, "table"),
    Answer("Who gets which e-mails?", Topic.EMAILS, "who"),
    Answer("How do I change the e-mails to candidates?", Topic.EMAILS, "candidates"),
    Answer("How do I get results in Slack or Teams?", Topic.EMAILS, "room"),
)
_FOR_AUDITORS = (
    Answer("Where are the answers to my questions?", Topic.AUDIT, "questions"),
    Answer("How do I check that nobody edited the log?", Topic.AUDIT, "whole"),
    Answer("What is stored about a candidate?", Topic.PRIVACY, "candidates"),
    Answer("What is stored about members?", Topic.PRIVACY, "members"),
    Answer("How long is data kept?", Topic.PRIVACY, "how-long"),
    Answer("How is a candidate's data erased?", Topic.PRIVACY, "erasure"),
    Answer("Which access to Lever does the portal have?", Topic.PRIVACY, "lever"),
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
