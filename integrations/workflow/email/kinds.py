"""The kinds of e-mail that members choose between: the variables of each, and the portal's own wording."""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.models import EmailKind, Organization


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
        "settings_link": Variable("the address of the settings", "https://portal.example/settings/"),
    }


_ORGANIZATION = {"organization": Variable("the organization's name", "Acme")}
_CANDIDATE = {
    "assessment": Variable("the assessment's name", "Backend"),
    "role": Variable("the role's title", "Backend Engineer"),
    "timeline_link": Variable("the candidate's timeline", "https://portal.example/activity/opportunity-1/"),
}
_MESSAGE_WORDING = EmailWording("{problem}", "{details}")

EMAIL_KINDS: dict[EmailKind, EmailKindDefinition] = {
    EmailKind.RESULT: EmailKindDefinition(
        "Tells the team what CodeScreen says of a candidate.",
        EmailWording(
            "CodeScreen result: {assessment}",
            "{candidate} · {role}\n\nResult: {outcome}\nScore: {score}\nReason: {reason}\n\n"
            "Report: {report_link}\nTimeline: {timeline_link}",
        ),
        {
            **_CANDIDATE,
            "candidate": Variable("the candidate's name", "Candidate Alder"),
            "outcome": Variable("Passed, Failed, Expired, or that CodeScreen doesn't state it", "Failed"),
            "score": Variable("0 to 100; empty when there is none", "41"),
            "reason": Variable("why it wasn't passed; empty when it was", "Tests failed"),
            "report_link": Variable(
                "CodeScreen's report; empty when there is none", "https://codescreen.example/report/1"
            ),
            **_ORGANIZATION,
        },
    ),
    EmailKind.ATTENTION: EmailKindDefinition(
        "Says that something waits for a person: an uncertain, failed or held invitation, a bounce, one that "
        "nobody started, a connection that "
        "broke, a refused key, a platform that doesn't answer, candidates for whom no webhook came.",
        _MESSAGE_WORDING,
        {
            **_message(
                "An invitation could not be sent",
                "CodeScreen refused the e-mail address. Correct it in Lever.",
            ),
            **_CANDIDATE,
            **_ORGANIZATION,
        },
    ),
    EmailKind.EXPIRY: EmailKindDefinition(
        "Says 30, 7 and 1 days ahead that Lever must be reconnected.",
        _MESSAGE_WORDING,
        {
            **_message(
                "Lever must be reconnected by 24 November 2027",
                "Lever ends every connection a year after it was made. "
                "Reconnecting takes a minute and loses nothing.",
            ),
            "end_date": Variable("the day on which Lever ends the connection", "24 November 2027"),
            "days_left": Variable("how many days are left", "7"),
            **_ORGANIZATION,
        },
    ),
    EmailKind.RESOLVED: EmailKindDefinition(
        "Says that what was broken works again.",
        _MESSAGE_WORDING,
        {
            **_message("Lever is connected again", "What arrived meanwhile is being decided now."),
            **_ORGANIZATION,
        },
    ),
    EmailKind.LOG_HEAD: EmailKindDefinition(
        "Tells each day where the organization's log ends. Keep these e-mails: they show it if somebody cuts off the "
        "end of the log or writes it anew.",
        _MESSAGE_WORDING,
        {
            **_message(
                "Acme's log ends at position 1204",
                "Its head is 1204:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
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
    values = {name: variable.sample for name, variable in EMAIL_KINDS[kind].variables.items()}
    return {**values, "organization": organization.name}
