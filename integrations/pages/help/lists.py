"""The lists in the help: the kinds of e-mail, alerts, roles, what is stored, and auditors' questions."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst

from integrations.core.vocabulary import ErasureCause
from integrations.data_inventory import inventory
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import AlertTopic, EmailKind
from integrations.organizations.models.organization import Organization
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.actions import (
    ApproveView,
    InviteAgainView,
    RecordDecisionView,
    ResolveAsSentView,
    RetryEffectView,
)
from integrations.pages.activity.activity import ActivityView, CandidateExportView
from integrations.pages.activity.delivery import ReplayView
from integrations.pages.audit_log import AuditLogView
from integrations.pages.candidate.page import CandidateDataView
from integrations.pages.dry_run import DryRunView
from integrations.pages.health import HealthView
from integrations.pages.mappings.mapping_edit import MappingCreateView
from integrations.pages.mappings.mapping_list import MappingListView
from integrations.pages.report import ReportView
from integrations.pages.settings.email_templates import EmailListView
from integrations.pages.settings.lever_connect import DisconnectLeverView
from integrations.pages.settings.notifications import NotificationsView, TeamNotificationsView
from integrations.pages.settings.rules import RulesView
from integrations.pages.settings.team import ChangeRoleView, SecurityView


@dataclass(frozen=True)
class EmailHelp:
    """One kind of e-mail; `roles` get it unless they choose otherwise."""

    code: str
    label: str
    purpose: str
    roles: str


def email_helps() -> list[EmailHelp]:
    """Return every kind of e-mail that members choose between."""
    return [EmailHelp(kind.value, str(kind.label), kind.record.purpose, _roles(kind)) for kind in EmailKind]


def _roles(kind: EmailKind) -> str:
    roles = [str(label) for value, label in Membership.Role.choices if value in kind.record.roles]
    return ", ".join(roles) or "Only who chooses it"


#: What a receiver does with a signed webhook before it reads the body; run by the tests.
VERIFY = """\
import base64, hashlib, hmac, time

def is_genuine(headers, body: bytes, secret: str) -> bool:
    timestamp = headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, one) for one in headers["webhook-signature"].split())
"""


@dataclass(frozen=True)
class TopicHelp:
    """What an address can get, its name in a signed webhook, and when it is sent."""

    code: str
    label: str
    when: str


@dataclass(frozen=True)
class StateHelp:
    """What the page shows of an address, what that means, and what to do."""

    label: str
    meaning: str
    cure: str


STATES = (
    StateHelp(
        "Not tried", "Nothing was sent to it yet.", "Press “Send a test”, and look whether it arrives."
    ),
    StateHelp("Works", "The last alert was accepted.", "Nothing."),
    StateHelp(
        "Not reached yet, Last one not accepted",
        "The address didn't answer in ten seconds, or said that it can't now. The portal tries again for four days, "
        "and shows the reason.",
        "If it stays so, look whether your program runs. In Slack there is nothing to do.",
    ),
    StateHelp(
        "Stopped",
        "The address refused an alert, as Slack does when the app or the channel was removed, or it didn't answer for "
        "four days. Nothing more is sent to it.",
        "Correct the reason; if the address is another one now, press “Change”. Then press “Send a test”: once it is "
        "accepted, what failed is sent too.",
    ),
    StateHelp("Off", "Somebody turned it off.", "Press “Change” and turn it on."),
)


def topic_helps() -> list[TopicHelp]:
    """Return everything that an address can get."""
    return [TopicHelp(topic.value, str(topic.label), topic.record.when) for topic in AlertTopic]


@dataclass(frozen=True)
class AuditQuestion:
    """One question, in words where its answer is, and the answer's address in the admin."""

    text: str
    answer: str
    address: str


def audit_questions() -> list[AuditQuestion]:
    """Return the ten questions of auditors."""
    return [
        AuditQuestion(
            "Why did this candidate get no test?",
            "Find the person by name under Candidates: their page says why. The admin lists everyone without a test.",
            _rows("candidate", invited="no"),
        ),
        AuditQuestion(
            "Who changed a mapping last week?",
            "The audit log has who, when, and the values before and after.",
            _rows("auditentry", about="mappings", period="week"),
        ),
        AuditQuestion(
            "Which candidates were hit by an outage of CodeScreen?",
            "Each incident of this kind lists the candidates that it touched.",
            _rows("incident", what="platform_down"),
        ),
        AuditQuestion(
            "Was anyone invited twice this quarter?",
            "The list has every second round. A second invitation in the same round can't be stored.",
            _rows("invitation", invited="again", period="quarter"),
        ),
        AuditQuestion(
            "What exactly was written to Lever?",
            "A candidate's page has it word for word. The admin has all of it.",
            _rows("effect", on="lever", period="week"),
        ),
        AuditQuestion(
            "What waits for a person?",
            "The admin's first page begins with what waits, each with its number.",
            reverse("admin:index"),
        ),
        AuditQuestion(
            "What did the portal find by comparing with Lever?",
            "The portal regularly looks in Lever for stage changes whose message never arrived.",
            _rows("delivery", found_by="repair", period="quarter"),
        ),
        AuditQuestion(
            "Which messages had a wrong signature?",
            "Each refusal is counted, with the reason and the time.",
            _rows("webhookrejection"),
        ),
        AuditQuestion(
            "When did Lever and CodeScreen last answer, and how fast?",
            "One page has the last answers and their times.",
            reverse("admin:answers"),
        ),
        AuditQuestion(
            "Was this log edited?",
            "One page shows where the log ends, and checks that it is whole.",
            reverse("admin:log"),
        ),
    ]


def _rows(model: str, **filters: str) -> str:
    address = reverse(f"admin:integrations_{model}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


@dataclass(frozen=True)
class StoredData:
    """What one kind of record is for, and what in it is about people."""

    holds: str
    personal: list[str]


@dataclass(frozen=True)
class Retention:
    """How long the organization keeps something; no days where it is kept without a limit."""

    text: str
    days: int


def about_candidates() -> list[StoredData]:
    """Return each kind of record with data about candidates."""
    return [_stored(table.holds, table.candidate) for table in inventory() if table.candidate]


def about_members() -> list[StoredData]:
    """Return each kind of record with data about the people who use the portal."""
    return [_stored(table.holds, table.user) for table in inventory() if table.user]


def _stored(holds: str, personal: Mapping[str, str]) -> StoredData:
    """Return the record's texts, without the marks around the names of columns, each text once."""
    texts = [capfirst(text.replace("`", "")) for text in personal.values()]
    return StoredData(capfirst(holds.replace("`", "")), list(dict.fromkeys(texts)))


def retention_of(organization: Organization) -> list[Retention]:
    """Return how long the organization keeps each kind of data."""
    return [
        Retention(
            "Names, addresses and texts about a candidate, counted from the end of the assessment",
            organization.retention_days,
        ),
        Retention(
            "The full text of messages from Lever and CodeScreen", organization.delivery_retention_days
        ),
        Retention(
            "Records of calls to Lever and CodeScreen that no candidate's invitation needs",
            organization.call_retention_days,
        ),
    ]


def erasure_causes() -> list[str]:
    """Return when a candidate's data is erased, each as a sentence's beginning."""
    return [capfirst(cause.label) for cause in ErasureCause]


@dataclass(frozen=True)
class Act:
    """Something people do, and the view that lets them."""

    text: str
    view: type[OrganizationMixin]


ACTS = (
    Act("See candidates, their results and why somebody was not invited", ActivityView),
    Act("Choose your own e-mails and time zone", NotificationsView),
    Act("See the mappings", MappingListView),
    Act("Try out with “What if…” what a move would do", DryRunView),
    Act("See reports", ReportView),
    Act("Download candidates as CSV", CandidateExportView),
    Act("See Health", HealthView),
    Act("Retry something that could not be sent or written", RetryEffectView),
    Act("Record the decision about a candidate who failed", RecordDecisionView),
    Act("Send or cancel an invitation that is on hold", ApproveView),
    Act("Say whether a possibly sent invitation was sent", ResolveAsSentView),
    Act("Send an assessment again", InviteAgainView),
    Act("Have a stage change decided again", ReplayView),
    Act("Add and change mappings", MappingCreateView),
    Act("Change the rules, pause the portal, end a pause", RulesView),
    Act("Change the wording of e-mails", EmailListView),
    Act("Read and download the audit log", AuditLogView),
    Act("See everything that is stored about a candidate", CandidateDataView),
    Act("Connect Lever and CodeScreen, disconnect them", DisconnectLeverView),
    Act("Invite and remove members, change their roles", ChangeRoleView),
    Act("Choose who gets which e-mails", TeamNotificationsView),
    Act("Require a second factor, set up single sign-on", SecurityView),
)


@dataclass(frozen=True)
class ActRow:
    """One act, and for each role whether it may."""

    text: str
    cells: list[tuple[str, bool]]


def role_labels() -> list[str]:
    """Return the roles, the one that may do most first."""
    return [label for _, label in Membership.Role.choices]


def act_rows() -> list[ActRow]:
    """Return every act with the roles' answers."""
    return [
        ActRow(
            act.text, [(label, value in act.view.allowed_roles) for value, label in Membership.Role.choices]
        )
        for act in ACTS
    ]
