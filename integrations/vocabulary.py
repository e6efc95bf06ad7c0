"""The vocabularies that rows, rules, pages and exports share: one enum for each, importable from every layer.

A member is a string, the code that is stored and exported. `label` is the same for people.
"""

from enum import StrEnum
from typing import Self

#: The lowest scores for the ratings 2, 3 and 4.
Thresholds = tuple[int, int, int]


class LabelledEnum(StrEnum):
    """Codes that each have a label for people."""

    label: str

    def __new__(cls, code: str, label: str = "") -> Self:
        """Make the member `code` with its label."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.label = label
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Return each code with its label, for the choices of a model or form field."""
        return [(member.value, member.label) for member in cls]


class Platform(LabelledEnum):
    """The two platforms that the portal connects."""

    LEVER = "lever", "Lever"
    CODESCREEN = "codescreen", "CodeScreen"


class SecondFactor(LabelledEnum):
    """What proved, besides the first proof, who a person is."""

    AUTHENTICATOR_APP = "authenticator_app", "authenticator app"
    PASSKEY = "passkey", "passkey"
    RECOVERY_CODE = "recovery_code", "recovery code"
    SINGLE_SIGN_ON = "single_sign_on", "single sign-on"


class DeliveryEvent(StrEnum):
    """The events that may lead to an invitation; Lever sends the first, the sweep writes the second."""

    STAGE_CHANGE = "candidateStageChange"
    SWEEP = "sweep"


class WebhookEvent(LabelledEnum):
    """The events that the portal asks Lever to report: what a webhook is made for, by Lever's name for it."""

    STAGE_CHANGE = "candidateStageChange", "Candidate Stage Change"
    CANDIDATE_DELETED = "candidateDeleted", "Candidate Deleted"


class RejectionCode(StrEnum):
    """Why a webhook request isn't accepted as genuine: the code in the body of the 401 answer."""

    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_MALFORMED = "signature_malformed"
    SIGNATURE_MISMATCH = "signature_mismatch"
    SIGNATURE_REUSED = "signature_reused"
    TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"
    NO_SIGNATURE_TOKEN = "no_signature_token"
    NO_WEBHOOK_SECRET = "no_webhook_secret"


class VerdictCode(LabelledEnum):
    """Why a delivery did or didn't lead to an invitation; the order is the order of deciding."""

    TEST_REQUEST = "test_request", "Test request"
    PAUSED = "paused", "Paused"
    DISCONNECTED = "disconnected", "Not connected"
    IGNORED_EVENT = "ignored_event", "Other event"
    ERASED = "erased", "Data erased"
    NOT_A_TRIGGER_STAGE = "not_a_trigger_stage", "Not a CodeScreen stage"
    NOT_VISIBLE = "not_visible", "Could not be read"
    LEFT_STAGE = "left_stage", "Left the stage"
    ARCHIVED = "archived", "Archived"
    ANONYMIZED = "anonymized", "Anonymized"
    ENTERED_BEFORE = "entered_before", "May be invited already"
    CONTACT_NOT_ALLOWED = "contact_not_allowed", "Contact not allowed"
    NO_ASSESSMENT = "no_assessment", "No assessment"
    UNKNOWN_ASSESSMENT = "unknown_assessment", "Unknown assessment"
    AMBIGUOUS_ASSESSMENT = "ambiguous_assessment", "Several assessments"
    NO_EMAIL = "no_email", "No e-mail address"
    ALREADY_INVITED = "already_invited", "Already invited"
    INVITED_ELSEWHERE = "invited_elsewhere", "Invited elsewhere"
    HELD_FOR_APPROVAL = "held_for_approval", "On hold"
    INVITE = "invite", "Invite"
    NOTED = "noted", "Update received"


#: The verdicts that are decided again by themselves when the pause is over or the connection is back.
WAITING_VERDICTS = (VerdictCode.PAUSED, VerdictCode.DISCONNECTED)

#: The verdicts that make an invitation, sent at once or after a person's approval.
INVITING_VERDICTS = frozenset({VerdictCode.INVITE, VerdictCode.HELD_FOR_APPROVAL})


class VerdictCause(LabelledEnum):
    """What made the portal decide about a delivery at that time."""

    FIRST = "first", "Decided when it arrived"
    SWEEP = "sweep", "Found when comparing with Lever"
    RESUMED = "resumed", "Decided again after the pause or the reconnect"
    READ_AGAIN = "read_again", "Decided again after reading the candidate again"
    REPLAY = "replay", "Decided again by a person"
    CHOSEN = "chosen", "Chosen by a person"


class AssessmentSource(LabelledEnum):
    """What names the assessment for a candidate; where several do, the first in this order counts."""

    CHOICE = "choice", "an Admin's choice"
    MAPPING_FOR_STAGE = "mapping_for_stage", "the mapping for this role and stage"
    MAPPING_FOR_ROLE = "mapping_for_role", "the mapping for this role"
    TAG = "tag", "the tag"
    DEFAULT = "default", "the default"


class InvitationStatus(LabelledEnum):
    """Where an invitation stands."""

    HELD = "held", "On hold"
    PENDING = "pending", "Pending"
    SENDING = "sending", "Sending"
    UNCERTAIN = "uncertain", "Uncertain"
    INVITED = "invited", "Invited"
    IN_PROGRESS = "in_progress", "In progress"
    SUBMITTED = "submitted", "Submitted"
    COMPLETED = "completed", "Completed"
    WITHDRAWN = "withdrawn", "Cancelled"
    FAILED = "failed", "Not sent"


class ResultOutcome(LabelledEnum):
    """CodeScreen's own words for the result of an attempt."""

    PASSED = "Passed", "Passed"
    FAILED = "Failed", "Failed"
    EXPIRED = "Expired", "Expired"


#: CodeScreen's own reasons why somebody didn't pass. Any other is a free text, which may say anything of a person.
FAILURE_REASONS = frozenset({"Build Failure", "Build Timeout", "Unit Tests", "Expired"})


class FollowingEnd(LabelledEnum):
    """Why the portal no longer asks CodeScreen about an invitation."""

    NOT_STARTED = "not_started", "Not started in time"
    NOT_FINISHED = "not_finished", "Not finished in time"
    GONE = "gone", "No longer in CodeScreen"
    RESULT_SETTLED = "result_settled", "Result settled"
    WITHDRAWN = "withdrawn", "Cancelled"
    ERASED = "erased", "The person's data was erased"


class ErasureCause(LabelledEnum):
    """Why a person's data was erased; the label completes "Erased because …"."""

    DELETED = "deleted", "the candidate was deleted in Lever"
    ANONYMIZED = "anonymized", "Lever anonymized the candidate"
    GONE = "gone", "Lever no longer has the candidate"
    FORGOTTEN = "forgotten", "somebody asked for it"
    RETENTION = "retention", "the time for which the organization keeps personal data was over"


#: After these nothing personal about the opportunity is ever stored again. After the others it is, once the candidate
#: enters a stage again.
FINAL_ERASURES = frozenset({ErasureCause.DELETED, ErasureCause.ANONYMIZED, ErasureCause.FORGOTTEN})


class ReentryPolicy(LabelledEnum):
    """What moving a candidate into the stage again does when they have done the assessment."""

    NOTHING = "nothing", "Never send the same assessment twice"
    AFTER_EXPIRY = "after_expiry", "Send it again if the last one expired"
    AFTER_DAYS = "after_days", "Send it again if the last one was completed long enough ago"


class ProgressTag(StrEnum):
    """The tags that show in Lever how far a candidate is; at rest a candidate has exactly one."""

    INVITED = "CodeScreen: Candidate Invited"
    IN_PROGRESS = "CodeScreen: Assessment in Progress"
    COMPLETED = "CodeScreen: Assessment Completed"
    EXPIRED = "CodeScreen: Assessment Expired"
