"""The kinds of e-mail and what one e-mail is about: one record each, which says all of it; its lines; who gets it.

To add a kind or a topic, add its record here. A topic without a kind goes to named people, and
`notifications/send_email.py` says what composes it.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing

from integrations.core.finding_code import Page
from integrations.core.vocabulary import RecordEnum
from integrations.members.models.membership import ADMINS, TEAM, Membership
from integrations.organizations.models.organization import Organization


@dataclass(frozen=True)
class Fact:
    """A line that says what something is, such as a score."""

    label: str
    value: str


@dataclass(frozen=True)
class Link:
    """A line that leads to a page: what it says, which may be empty, and the address."""

    label: str
    url: str


#: One line of an e-mail.
Line = str | Fact | Link


def timeline_link(opportunity_id: str) -> str:
    """Return the address of the timeline of an opportunity's candidate."""
    return f"{settings.PORTAL_URL}/activity/{opportunity_id}/"


def page_link(page: Page, label: str = "") -> Link:
    """Return the line that leads to a page; without a label it says what the page's links say."""
    return Link(label or page.text, f"{settings.PORTAL_URL}{page.url}")


@dataclass(frozen=True)
class EmailKindRecord:
    """All about one kind of e-mail.

    `column` of a membership holds whether the member chose to get it or not to; without a choice, members with one of
    `roles` get it.
    """

    code: str
    label: str
    purpose: str
    column: str
    roles: frozenset[str]


class EmailKind(RecordEnum):
    """A kind of e-mail: each member turns it on or off."""

    record: EmailKindRecord

    RESULTS = EmailKindRecord(
        code="results",
        label="Results",
        purpose="When CodeScreen reports a candidate's result, or another one than before.",
        column="gets_results",
        roles=TEAM,
    )
    PROBLEMS = EmailKindRecord(
        code="problems",
        label="Problems",
        purpose="When something needs you, and when it is over. For example an invitation on hold or not sent, or a "
        "connection that ends.",
        column="gets_problems",
        roles=ADMINS,
    )


@dataclass(frozen=True)
class EmailTopicRecord:
    """All about what one e-mail may be about.

    By its `kind` members choose whether they get it, and it is posted to the organization's chat room too; without one
    it goes to named people, also in a pause. `is_about_connection`: it names no candidate, so every member may read it.
    """

    code: str
    label: str
    kind: EmailKind | None = None
    is_about_connection: bool = False


class EmailTopic(RecordEnum):
    """What one e-mail is about; the outbox keeps it with the effect that sends the e-mail."""

    record: EmailTopicRecord

    RESULT = EmailTopicRecord("result", "Result", EmailKind.RESULTS)
    RESULT_CHANGED = EmailTopicRecord("result_changed", "Result changed after a move", EmailKind.PROBLEMS)
    INVITATION_UNCERTAIN = EmailTopicRecord(
        "invitation_uncertain", "Invitation possibly sent", EmailKind.PROBLEMS
    )
    INVITATION_FAILED = EmailTopicRecord("invitation_failed", "Invitation not sent", EmailKind.PROBLEMS)
    FOLLOWING_ENDED = EmailTopicRecord("following_ended", "No result", EmailKind.PROBLEMS)
    INCIDENT_BEGUN = EmailTopicRecord("incident_begun", "Incident begun", EmailKind.PROBLEMS)
    INCIDENT_ENDED = EmailTopicRecord("incident_ended", "Incident ended", EmailKind.PROBLEMS)
    CONNECTION_ENDS = EmailTopicRecord(
        "connection_ends", "Lever's connection ends", EmailKind.PROBLEMS, is_about_connection=True
    )
    RECONNECT_NEEDED = EmailTopicRecord(
        "reconnect_needed", "Lever must be reconnected", EmailKind.PROBLEMS, is_about_connection=True
    )
    RECONNECTED = EmailTopicRecord(
        "reconnected", "Lever reconnected", EmailKind.PROBLEMS, is_about_connection=True
    )
    SUPER_ADMIN_DEACTIVATED = EmailTopicRecord(
        "super_admin_deactivated",
        "Last Super Admin deactivated in Lever",
        EmailKind.PROBLEMS,
        is_about_connection=True,
    )
    WELCOME = EmailTopicRecord("welcome", "Welcome of a new member")
    PASSWORD_RESET = EmailTopicRecord("password_reset", "Password reset")
    ACCOUNT = EmailTopicRecord("account", "Change of a person's account")
    REQUEST = EmailTopicRecord("request", "Request to those who may act")
    MEMBERS_CHANGED = EmailTopicRecord("members_changed", "Change of the members")


# Which members get a kind: by their choice, else by their role; and the links that stop one.

_SALT = "integrations.unsubscribe"


def gets(member: Membership, kind: EmailKind) -> bool:
    """Whether the member gets that kind, by their choice or else by their role."""
    chosen: bool | None = getattr(member, kind.record.column)
    return member.role in kind.record.roles if chosen is None else chosen


def members_getting(organization: Organization, kind: EmailKind) -> list[Membership]:
    """Return the active members with an address who get that kind."""
    members = Membership.objects.filter(organization=organization, user__is_active=True)
    members = members.exclude(user__email="").select_related("user").order_by("user__email")
    return [member for member in members if gets(member, kind)]


def unsubscribe_link(member: Membership, kind: EmailKind) -> str:
    """Return the address at which this member stops one kind of e-mail; it holds no name and doesn't expire."""
    token = signing.dumps([member.pk, kind.value], salt=_SALT)
    return f"{settings.PORTAL_URL}/unsubscribe/{token}/"


def read_token(token: str) -> tuple[Membership, EmailKind] | None:
    """Return the member and the kind of an unsubscribe link; None when it isn't ours or the member has left."""
    try:
        pk, kind = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    member = Membership.objects.filter(pk=pk).select_related("organization", "user").first()
    return (member, EmailKind(kind)) if member is not None and kind in EmailKind else None
