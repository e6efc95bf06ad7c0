"""The kinds of e-mail that members choose between: the variables of each, and the portal's own wording."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from integrations.notifications.models import EmailKind
from integrations.organizations.models.organization import Organization

_PORTAL = "https://portal.example"  # in the samples: for the portal's own address


@dataclass(frozen=True)
class EmailWording:
    """A subject and a body with variables in them, such as {candidate}."""

    subject: str
    body: str


@dataclass(frozen=True)
class Variable:
    """What a variable stands for, and a made-up value for previews and tests."""

    meaning: str
    sample: str


@dataclass(frozen=True)
class EmailKindDefinition:
    """What one kind of e-mail is for, the variables its wording may use, and the portal's own wording."""

    purpose: str
    default: EmailWording
    variables: Mapping[str, Variable]


def _message(problem: str, details: str) -> dict[str, Variable]:
    return {
        "problem": Variable("what it is about, in a few words", problem),
        "details": Variable("what happened and what to do", details),
        "settings_link": Variable("the address of the settings", f"{_PORTAL}/settings/"),
    }


_ORGANIZATION = {"organization": Variable("the organization's name", "Acme")}
_CANDIDATE = {
    "assessment": Variable("the assessment's name", "Backend"),
    "role": Variable("the role's title", "Backend Engineer"),
    "timeline_link": Variable("the candidate's page in the portal", f"{_PORTAL}/activity/opportunity-1/"),
}
_NAMES = {
    "candidate": Variable("the candidate's name", "Alder Birch"),
    "first_name": Variable("the candidate's first name", "Alder"),
}
_MESSAGE_WORDING = EmailWording("{problem}", "{details}")

EMAIL_KINDS: dict[EmailKind, EmailKindDefinition] = {
    EmailKind.RESULT: EmailKindDefinition(
        "When CodeScreen reports a candidate's result.",
        EmailWording(
            "{first_name}: {result} ({assessment})",
            "{candidate}\n\nAssessment: {assessment}\nRole: {role}\nResult: {outcome}\nScore: {score}\n"
            "Reason: {reason}\n\nReport in CodeScreen: {report_link}\n\nOpen in the portal: {timeline_link}",
        ),
        {
            **_CANDIDATE,
            **_NAMES,
            "result": Variable("the result and the score in a few words", "Failed 41"),
            "outcome": Variable("Passed, Failed, Expired, or that CodeScreen doesn't state it", "Failed"),
            "score": Variable("from 0 to 100; empty if there is none", "41"),
            "reason": Variable("why it wasn't passed; empty if it was", "Tests failed"),
            "report_link": Variable(
                "CodeScreen's report; empty if there is none", "https://codescreen.example/report/1"
            ),
            **_ORGANIZATION,
        },
    ),
    EmailKind.SUBMITTED: EmailKindDefinition(
        "When a candidate submits an assessment, before the result is there. Needs CodeScreen's webhooks.",
        EmailWording(
            "{first_name} submitted {assessment}",
            "{candidate}\n\nAssessment: {assessment}\nRole: {role}\n\n"
            "CodeScreen is evaluating it. The result follows.\n\nOpen in the portal: {timeline_link}",
        ),
        {**_CANDIDATE, **_NAMES, **_ORGANIZATION},
    ),
    EmailKind.ATTENTION: EmailKindDefinition(
        "When something needs you: an invitation that is on hold, was not sent or bounced, a candidate who never "
        "started, or a connection that doesn't work.",
        _MESSAGE_WORDING,
        {
            **_message(
                "Alder: the invitation could not be sent",
                "Alder Birch · Backend Engineer\n\n"
                "“Backend”: CodeScreen refused the e-mail address. Correct it in Lever.\n\n"
                f"Open in the portal: {_PORTAL}/activity/opportunity-1/",
            ),
            **_CANDIDATE,
            **_ORGANIZATION,
        },
    ),
    EmailKind.EXPIRY: EmailKindDefinition(
        "30 days, 7 days and 1 day before Lever must be reconnected.",
        _MESSAGE_WORDING,
        {
            **_message(
                "Lever must be reconnected by 24 November 2027",
                "Lever ends every connection after one year. Reconnecting takes a minute, and nothing is lost.\n\n"
                f"A Super Admin can reconnect Lever under Settings: {_PORTAL}/settings/",
            ),
            "end_date": Variable("the day on which Lever ends the connection", "24 November 2027"),
            "days_left": Variable("how many days are left", "7"),
            **_ORGANIZATION,
        },
    ),
    EmailKind.RESOLVED: EmailKindDefinition(
        "When a problem that you were told about is over.",
        _MESSAGE_WORDING,
        {
            **_message("Lever is connected again", "What arrived in the meantime is being processed now."),
            **_ORGANIZATION,
        },
    ),
    EmailKind.LOG_HEAD: EmailKindDefinition(
        "Once a day, where the audit log ends. Keep these e-mails: with them, anyone can prove later that no entry was "
        "removed or rewritten.",
        _MESSAGE_WORDING,
        {
            **_message(
                "Acme: audit log ends at position 1204",
                "The hash of the last entry is 1204:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            ),
            "head": Variable(
                "the position and the hash",
                "1204:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            ),
            **_ORGANIZATION,
        },
    ),
}


def sample_values(kind: EmailKind, organization: Organization) -> dict[str, str]:
    """Return made-up values for every variable of a kind, with the organization's own name."""
    own = settings.PORTAL_URL
    values = {
        name: variable.sample.replace(_PORTAL, own) for name, variable in EMAIL_KINDS[kind].variables.items()
    }
    return {**values, "organization": organization.name}
