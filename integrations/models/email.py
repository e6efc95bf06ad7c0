"""What the e-mails to an organization's own people are about."""

from django.db import models


class EmailKind(models.TextChoices):
    """A kind of e-mail: members choose which kinds they get, and the customer may word each kind."""

    RESULT = "result", "Results"
    SUBMITTED = "submitted", "Assessment submitted"
    ATTENTION = "attention", "Needs attention"
    EXPIRY = "expiry", "Lever must be reconnected soon"
    RESOLVED = "resolved", "Problem resolved"
    LOG_HEAD = "log_head", "Daily end of the audit log"


class EmailTopic(models.TextChoices):
    """What one e-mail is about; the outbox keeps it with the effect that sends the e-mail."""

    RESULT = "result", "Result"
    SUBMITTED = "submitted", "Assessment submitted"
    RESULT_CHANGED = "result_changed", "Result changed after a move"
    INVITATION_UNCERTAIN = "invitation_uncertain", "Invitation uncertain"
    INVITATION_FAILED = "invitation_failed", "Invitation failed"
    INVITATION_BOUNCED = "invitation_bounced", "Invitation bounced"
    FOLLOWING_ENDED = "following_ended", "Following ended without a result"
    INCIDENT_BEGUN = "incident_begun", "Incident begun"
    INCIDENT_ENDED = "incident_ended", "Incident ended"
    CONNECTION_ENDS = "connection_ends", "Lever's connection ends"
    RECONNECT_NEEDED = "reconnect_needed", "Lever must be reconnected"
    RECONNECTED = "reconnected", "Lever reconnected"
    LOG_HEAD = "log_head", "Daily end of the audit log"
    WELCOME = "welcome", "Welcome of a new member"
    PASSWORD_RESET = "password_reset", "Password reset"
    ACCOUNT = "account", "Change of a person's account"
    ADMIN_REQUEST = "admin_request", "Request to the Super Admins"
    MEMBERS_CHANGED = "members_changed", "Change of the members"
    TEST = "test", "Test of a wording"

    @property
    def kind(self) -> EmailKind | None:
        """The kind by which members choose whether they get it; None where it goes to named people."""
        return _KINDS.get(self)


_KINDS = {
    EmailTopic.RESULT: EmailKind.RESULT,
    EmailTopic.SUBMITTED: EmailKind.SUBMITTED,
    EmailTopic.RESULT_CHANGED: EmailKind.ATTENTION,
    EmailTopic.INVITATION_UNCERTAIN: EmailKind.ATTENTION,
    EmailTopic.INVITATION_FAILED: EmailKind.ATTENTION,
    EmailTopic.INVITATION_BOUNCED: EmailKind.ATTENTION,
    EmailTopic.FOLLOWING_ENDED: EmailKind.ATTENTION,
    EmailTopic.INCIDENT_BEGUN: EmailKind.ATTENTION,
    EmailTopic.INCIDENT_ENDED: EmailKind.RESOLVED,
    EmailTopic.CONNECTION_ENDS: EmailKind.EXPIRY,
    EmailTopic.RECONNECT_NEEDED: EmailKind.ATTENTION,
    EmailTopic.RECONNECTED: EmailKind.RESOLVED,
    EmailTopic.LOG_HEAD: EmailKind.LOG_HEAD,
}

#: Topics of the e-mails about people's own accounts, which they need whatever their organization does.
SIGN_IN_TOPICS = frozenset({EmailTopic.WELCOME, EmailTopic.PASSWORD_RESET, EmailTopic.ACCOUNT})
