"""The kinds of e-mail, what one e-mail is about, and the topics of alerts: one record each, which says all of it.

To add a kind or a topic, add its record here. A topic without a kind goes to named people, and
`notifications/send_email.py` says what composes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from integrations.core.vocabulary import RecordEnum
from integrations.members.models.membership import ADMINS, TEAM

#: The variable that stands for the lines of a message.
DETAILS = "details"
#: In the samples: for the portal's own address.
SAMPLE_PORTAL = "https://portal.example"


@dataclass(frozen=True)
class EmailWording:
    """A subject and a body with variables in them, such as {candidate}."""

    subject: str
    body: str


@dataclass(frozen=True)
class Link:
    """A line that leads to a page: what it says, which may be empty, and the address."""

    label: str
    url: str


#: One line of an e-mail.
Line = str | Link


@dataclass(frozen=True)
class Variable:
    """What a variable stands for, and a made-up value for previews and tests."""

    meaning: str
    sample: str


def _message(problem: str) -> dict[str, Variable]:
    return {
        "problem": Variable("what it is about, in a few words", problem),
        DETAILS: Variable("what happened and what to do", ""),
        "settings_link": Variable("the address of the settings", f"{SAMPLE_PORTAL}/settings/"),
    }


_ORGANIZATION = {"organization": Variable("the organization's name", "Acme")}
_CANDIDATE = {
    "assessment": Variable("the assessment's name", "Backend"),
    "role": Variable("the role's title", "Backend Engineer"),
    "timeline_link": Variable(
        "the candidate's page in the portal", f"{SAMPLE_PORTAL}/activity/opportunity-1/"
    ),
}
_NAMES = {
    "candidate": Variable("the candidate's name", "Alder Birch"),
    "first_name": Variable("the candidate's first name", "Alder"),
}


@dataclass(frozen=True)
class EmailKindRecord:
    """All about one kind of e-mail.

    `variables` are those that its wording may use, and `wording` is the portal's own. `sample` are the made-up lines of
    {details}. Members with one of `roles` get it unless they choose otherwise.
    """

    code: str
    label: str
    purpose: str
    variables: Mapping[str, Variable]
    wording: EmailWording = EmailWording("{problem}", "{details}")
    sample: tuple[Line, ...] = ()
    roles: frozenset[str] = ADMINS


class EmailKind(RecordEnum):
    """A kind of e-mail: members choose which kinds they get, and the customer may word each kind."""

    record: EmailKindRecord

    RESULT = EmailKindRecord(
        code="result",
        label="Results",
        purpose="When CodeScreen reports a candidate's result.",
        wording=EmailWording(
            "{first_name}: {result} ({assessment})",
            "{candidate}\n\nAssessment: {assessment}\nRole: {role}\nResult: {outcome}\nScore: {score}\n"
            "Reason: {reason}\n\nReport in CodeScreen: {report_link}\n\nOpen in the portal: {timeline_link}",
        ),
        variables={
            **_CANDIDATE,
            **_NAMES,
            "result": Variable("the result and the score in a few words", "Failed 41"),
            "outcome": Variable("Passed, Failed, Expired, or that CodeScreen doesn't state it", "Failed"),
            "score": Variable("from 0 to 100; empty if there is none", "41"),
            "reason": Variable("why the candidate didn't pass; empty if they passed", "Tests failed"),
            "report_link": Variable(
                "CodeScreen's report; empty if there is none", "https://codescreen.example/report/1"
            ),
            **_ORGANIZATION,
        },
        roles=TEAM,
    )
    SUBMITTED = EmailKindRecord(
        code="submitted",
        label="Assessment submitted",
        purpose="When a candidate submits an assessment, before the result is there. Needs CodeScreen's webhooks.",
        wording=EmailWording(
            "{first_name} submitted {assessment}",
            "{candidate}\n\nAssessment: {assessment}\nRole: {role}\n\n"
            "CodeScreen is evaluating it. The result follows.\n\nOpen in the portal: {timeline_link}",
        ),
        variables={**_CANDIDATE, **_NAMES, **_ORGANIZATION},
        roles=frozenset(),  # it comes before what people wait for
    )
    ATTENTION = EmailKindRecord(
        code="attention",
        label="Needs attention",
        purpose="When something needs you: an invitation that is on hold, was not sent, a candidate who "
        "never started, or a connection that doesn't work.",
        variables={**_message("Alder: the invitation could not be sent"), **_CANDIDATE, **_ORGANIZATION},
        sample=(
            "Alder Birch · Backend Engineer",
            "“Backend”: CodeScreen refused the e-mail address. Correct it in Lever.",
            Link("Open in the portal", f"{SAMPLE_PORTAL}/activity/opportunity-1/"),
        ),
    )
    EXPIRY = EmailKindRecord(
        code="expiry",
        label="Lever must be reconnected soon",
        purpose="30 days, 7 days and 1 day before Lever must be reconnected.",
        variables={
            **_message("Lever must be reconnected by 24 November 2027"),
            "end_date": Variable("the day on which Lever ends the connection", "24 November 2027"),
            "days_left": Variable("how many days are left", "7"),
            **_ORGANIZATION,
        },
        sample=(
            "Lever ends every connection after one year. Reconnecting takes a minute, and nothing is lost.",
            Link("A Super Admin can reconnect Lever under Settings", f"{SAMPLE_PORTAL}/settings/"),
        ),
    )
    RESOLVED = EmailKindRecord(
        code="resolved",
        label="Problem resolved",
        purpose="When a problem that you were told about is over.",
        variables={**_message("Lever is connected again"), **_ORGANIZATION},
        sample=("What arrived in the meantime is being processed now.",),
    )


@dataclass(frozen=True)
class AlertTopicRecord:
    """All about one topic of alerts; `column` of an address says whether it gets them."""

    code: str
    label: str
    column: str
    when: str


class AlertTopic(RecordEnum):
    """What an alert is about; each address gets the topics that are chosen for it."""

    record: AlertTopicRecord

    RESULT = AlertTopicRecord(
        "result", "Results", "wants_results", "CodeScreen states a result, or another one than before."
    )
    HELD = AlertTopicRecord(
        "held",
        "Invitations that need approval",
        "wants_held",
        "Invitations need approval, or none needs it any more.",
    )
    INCIDENT = AlertTopicRecord(
        "incident",
        "Problems",
        "wants_incidents",
        "A problem on the page Health begins or ends, an invitation was possibly sent, or Lever must be connected "
        "again.",
    )


class AlertPhase(StrEnum):
    """Whether an alert says that something begins or that it is over."""

    NONE = ""
    BEGAN = "began"
    ENDED = "ended"


@dataclass(frozen=True)
class EmailTopicRecord:
    """All about what one e-mail may be about.

    By its `kind` members choose whether they get it; without one it goes to named people. Several notices share an
    e-mail with the subject `digest_subject`, the first `single_emails` excepted. `alert` is the topic of the alert of
    the same event; without one only e-mails tell of it. `is_about_signing_in`: people need it whatever their
    organization does. `is_about_connection`: it names no candidate, so every member may read it.
    """

    code: str
    label: str
    kind: EmailKind | None = None
    digest_subject: str = ""
    single_emails: int = 0
    alert: AlertTopic | None = None
    alert_phase: AlertPhase = AlertPhase.NONE
    is_about_signing_in: bool = False
    is_about_connection: bool = False


class EmailTopic(RecordEnum):
    """What one e-mail is about; the outbox keeps it with the effect that sends the e-mail."""

    record: EmailTopicRecord

    RESULT = EmailTopicRecord(
        "result",
        "Result",
        EmailKind.RESULT,
        digest_subject="Several CodeScreen results",
        single_emails=20,
        alert=AlertTopic.RESULT,
    )
    SUBMITTED = EmailTopicRecord(
        "submitted",
        "Assessment submitted",
        EmailKind.SUBMITTED,
        digest_subject="Several assessments were submitted",
    )
    RESULT_CHANGED = EmailTopicRecord(
        "result_changed",
        "Result changed after a move",
        EmailKind.ATTENTION,
        digest_subject="Several results changed after the candidates were moved",
    )
    INVITATION_UNCERTAIN = EmailTopicRecord(
        "invitation_uncertain",
        "Invitation possibly sent",
        EmailKind.ATTENTION,
        digest_subject="Several invitations were possibly sent",
        alert=AlertTopic.INCIDENT,
        alert_phase=AlertPhase.BEGAN,
    )
    INVITATION_FAILED = EmailTopicRecord(
        "invitation_failed",
        "Invitation not sent",
        EmailKind.ATTENTION,
        digest_subject="Several invitations could not be sent",
    )
    FOLLOWING_ENDED = EmailTopicRecord(
        "following_ended",
        "No result",
        EmailKind.ATTENTION,
        digest_subject="Several invitations ended without a result",
    )
    INCIDENT_BEGUN = EmailTopicRecord(
        "incident_begun",
        "Incident begun",
        EmailKind.ATTENTION,
        alert=AlertTopic.INCIDENT,
        alert_phase=AlertPhase.BEGAN,
    )
    INCIDENT_ENDED = EmailTopicRecord(
        "incident_ended",
        "Incident ended",
        EmailKind.RESOLVED,
        alert=AlertTopic.INCIDENT,
        alert_phase=AlertPhase.ENDED,
    )
    CONNECTION_ENDS = EmailTopicRecord(
        "connection_ends",
        "Lever's connection ends",
        EmailKind.EXPIRY,
        alert=AlertTopic.INCIDENT,
        alert_phase=AlertPhase.BEGAN,
        is_about_connection=True,
    )
    RECONNECT_NEEDED = EmailTopicRecord(
        "reconnect_needed",
        "Lever must be reconnected",
        EmailKind.ATTENTION,
        alert=AlertTopic.INCIDENT,
        alert_phase=AlertPhase.BEGAN,
        is_about_connection=True,
    )
    RECONNECTED = EmailTopicRecord(
        "reconnected",
        "Lever reconnected",
        EmailKind.RESOLVED,
        alert=AlertTopic.INCIDENT,
        alert_phase=AlertPhase.ENDED,
        is_about_connection=True,
    )
    SUPER_ADMIN_DEACTIVATED = EmailTopicRecord(
        "super_admin_deactivated",
        "Last Super Admin deactivated in Lever",
        EmailKind.ATTENTION,
        is_about_connection=True,
    )
    WELCOME = EmailTopicRecord("welcome", "Welcome of a new member", is_about_signing_in=True)
    PASSWORD_RESET = EmailTopicRecord("password_reset", "Password reset", is_about_signing_in=True)
    ACCOUNT = EmailTopicRecord("account", "Change of a person's account", is_about_signing_in=True)
    ADMIN_REQUEST = EmailTopicRecord("admin_request", "Request to the Super Admins")
    MEMBERS_CHANGED = EmailTopicRecord("members_changed", "Change of the members")
    TEST = EmailTopicRecord("test", "Test of a wording")
