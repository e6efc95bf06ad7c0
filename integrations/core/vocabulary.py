"""The vocabularies that rows, rules, pages and exports share: one enum for each, importable from every layer.

A member is a string, the code that is stored and exported. `label` is the same for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

#: `RETRY_FOR` of `http/steps.py`, for how long the portal tries again, as sentences say it.
RETRY_FOR_IN_WORDS = "four days"


class LabelledEnum(StrEnum):
    """Codes that each have a label for people."""

    label: str

    def __new__(cls, code: str, label: str = "") -> Self:
        return make_member(cls, code, label)

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Return each code with its label, for the choices of a model or form field."""
        return [(member.value, member.label) for member in cls]


def make_member[Member: LabelledEnum](enum: type[Member], code: str, label: str) -> Member:
    """Return a new member, for the `__new__` of an enum whose members say more than a label."""
    member = str.__new__(enum, code)
    member._value_ = code
    member.label = label
    return member


class RecordEnum(LabelledEnum):
    """Codes that each carry a record, which has the code, the label and all else that is said of it."""

    record: Any

    def __new__(cls, record: Any) -> Self:  # for the type checker, a look-up by code is this call too
        member = make_member(cls, record.code, record.label)
        member.record = record
        return member


def lower_first(label: str) -> str:
    """Return a label as it stands within a sentence."""
    return label[:1].lower() + label[1:]


class Tone(StrEnum):
    """What something means to a person, good or bad; the value is a badge's class."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    INFO = "info"
    NEUTRAL = "neutral"


class Platform(LabelledEnum):
    """The two platforms that the portal connects."""

    LEVER = "lever", "Lever"
    CODESCREEN = "codescreen", "CodeScreen"


#: What the log calls the server that takes e-mails, where it calls a platform by its name.
MAIL_SERVER = "mail server"


class DeliveryEvent(StrEnum):
    """What says that a candidate entered a stage: Lever sends the first, the portal itself writes the other.

    By nothing but its event may what the portal writes be told from a platform's webhook.
    """

    STAGE_CHANGE = "candidateStageChange"
    SWEEP = "sweep"


#: What the events are called; others by the platform's own name.
EVENT_NAMES: Mapping[str, str] = {
    DeliveryEvent.STAGE_CHANGE: "Stage change",
    DeliveryEvent.SWEEP: "Found by comparing with Lever",
}


class WebhookEvent(LabelledEnum):
    """The events that the portal asks Lever to report: what a webhook is made for, by Lever's name for it."""

    STAGE_CHANGE = "candidateStageChange", "Candidate Stage Change"
    CANDIDATE_DELETED = "candidateDeleted", "Candidate Deleted"


@dataclass(frozen=True)
class RejectionRecord:
    """Why a webhook request is rejected, in a few words, and what to do about it where no likely mistake is known."""

    code: str
    label: str
    fix: str


class RejectionCode(RecordEnum):
    """Why a webhook request isn't accepted as genuine: the code in the body of the 401 answer."""

    record: RejectionRecord

    SIGNATURE_MISSING = RejectionRecord(
        "signature_missing",
        "no signature",
        "Check that the sender's webhook has a token or secret, and that nobody else sent the request.",
    )
    SIGNATURE_MALFORMED = RejectionRecord(
        "signature_malformed",
        "unreadable signature",
        "Check what is between the sender and the portal: it changes the request.",
    )
    SIGNATURE_MISMATCH = RejectionRecord(
        "signature_mismatch", "wrong signature", "The secret saved here isn't the sender's. Copy it again."
    )
    SIGNATURE_REUSED = RejectionRecord(
        "signature_reused",
        "one signature used for many messages",
        "Somebody may have recorded a webhook. Make a new signature token in Lever, and paste it under Settings.",
    )
    TIMESTAMP_OUT_OF_RANGE = RejectionRecord(
        "timestamp_out_of_range",
        "wrong time",
        "CodeScreen's time may differ by 5 minutes. Lever's may be 1 hour ahead or 15 days old. If the sender is "
        "genuine, check this server's clock. Else somebody may have recorded a webhook.",
    )
    NO_SIGNATURE_TOKEN = RejectionRecord(
        "no_signature_token",
        "no signature token saved here",
        "Paste the signature token that Lever shows.",
    )
    NO_WEBHOOK_SECRET = RejectionRecord(
        "no_webhook_secret",
        "no webhook secret saved here",
        "Paste the webhook secret that CodeScreen gives you.",
    )


class LikelyMistake(LabelledEnum):
    """What most likely made a signature not match, stored as the hint of a rejection; its label says what to do."""

    FORMER_TOKEN = (
        "former_token",
        (
            "It was signed with an earlier token, which is no longer valid here. Copy the token that Lever shows now "
            "into Settings, or remove the old webhook in Lever."
        ),
    )
    MISPLACED_SECRET = (
        "misplaced_secret",
        (
            "It was signed with what is saved here as CodeScreen's secret. Paste the token into “Lever Webhook "
            "Signature” instead."
        ),
    )
    MANGLED_SIGNATURE = (
        "mangled_signature",
        (
            "The signature doesn't have Lever's form. Check whether the request came from Lever. If a proxy is between "
            "Lever and the portal, it must pass webhooks unchanged."
        ),
    )
    UNKNOWN_TOKEN = (
        "unknown_token",
        (
            "The token saved here isn't the one that Lever uses, or only a part of it. Copy the token beside "
            "“Candidate Stage Change” in Lever again."
        ),
    )


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
    MAPPING_FOR_CATEGORIES = "mapping_for_categories", "the mapping for the role's categories"
    DEFAULT = "default", "the default"


class Category(LabelledEnum):
    """What Lever says of a posting beside its title, in Lever's words; the codes are Lever's keys."""

    DEPARTMENT = "department", "Department"
    TEAM = "team", "Team"
    LOCATION = "location", "Location"
    LEVEL = "level", "Level"
    COMMITMENT = "commitment", "Commitment"


class Origin(LabelledEnum):
    """How a candidate came, in Lever's words; the codes are Lever's."""

    AGENCY = "agency", "Agency"
    APPLIED = "applied", "Applied"
    INTERNAL = "internal", "Internal"
    REFERRED = "referred", "Referred"
    SOURCED = "sourced", "Sourced"
    UNIVERSITY = "university", "University"


class OriginRule(LabelledEnum):
    """What happens to candidates of one origin when they enter a CodeScreen stage."""

    SEND = "send", "Send"
    HOLD = "hold", "Hold for approval"
    SKIP = "skip", "Send nothing"


class HoldReason(StrEnum):
    """Why an invitation is on hold."""

    BULK_LIMIT = "bulk_limit"
    ROLE = "role"
    ORIGIN = "origin"
    EXTRA_TIME = "extra_time"


class Approval(LabelledEnum):
    """When an invitation waits for a person's yes, by a mapping's own rule."""

    NEVER = "never", "Never, whatever the limit"
    ABOVE_LIMIT = "above_limit", "Above the limit"
    ALWAYS = "always", "Always"


class ResultOutcome(LabelledEnum):
    """CodeScreen's own words for the result of an attempt, with the tone, the icon and the next step of each.

    Without a next step the one of the invitation's status holds.
    """

    tone: Tone
    icon: str
    next_step: str

    def __new__(cls, word: str, tone: Tone = Tone.NEUTRAL, icon: str = "", next_step: str = "") -> Self:
        member = make_member(cls, word, word)
        member.tone, member.icon, member.next_step = tone, icon, next_step
        return member

    PASSED = "Passed", Tone.GOOD, "check"
    FAILED = "Failed", Tone.BAD, "x"
    EXPIRED = "Expired", Tone.WARN, "clock", "For another try, an Admin presses “Send again” under “More”."

    @property
    def code(self) -> str:
        """The portal's own code, as addresses and figures have it: it stays, whatever word CodeScreen uses."""
        return self.name.lower()


class BarOutcome(LabelledEnum):
    """How a score compares with the organization's own bar, where CodeScreen states no result."""

    tone: Tone
    icon: str

    def __new__(cls, code: str, label: str = "", tone: Tone = Tone.NEUTRAL, icon: str = "") -> Self:
        member = make_member(cls, code, label)
        member.tone, member.icon = tone, icon
        return member

    MEETS = "meets_bar", "Meets your bar", Tone.GOOD, "check"
    BELOW = "below_bar", "Below your bar", Tone.BAD, "x"


#: What is said of a result that isn't stated, and has no bar to compare with.
NOT_STATED = "Not stated by CodeScreen"
#: CodeScreen's own reasons why somebody didn't pass. Any other is a free text, which may say anything of a person.
FAILURE_REASONS = frozenset({"Build Failure", "Build Timeout", "Unit Tests", "Expired"})


class ErasureCause(LabelledEnum):
    """Why a person's data was erased; the label completes "Erased because …"."""

    DELETED = "deleted", "the candidate was deleted in Lever"
    ANONYMIZED = "anonymized", "Lever anonymized the candidate"
    GONE = "gone", "Lever no longer has the candidate"
    FORGOTTEN = "forgotten", "somebody asked for it"
    RETENTION = "retention", "the time for which the organization keeps personal data was over"

    @property
    def because(self) -> str:
        return f"Because {self.label}."


#: After these nothing personal about the opportunity is ever stored again. After the others it is, once the candidate
#: enters a stage again.
FINAL_ERASURES = frozenset({ErasureCause.DELETED, ErasureCause.ANONYMIZED, ErasureCause.FORGOTTEN})


class ProgressTag(LabelledEnum):
    """The tags that show in Lever how far a candidate is; at rest a candidate has exactly one.

    They stand on candidates in Lever: when a wording changes, the former one goes into FORMER_PROGRESS_TAGS.
    `when` says for the help when it takes the place of the usual tag of a status; empty in the usual one.
    """

    when: str

    def __new__(cls, text: str, when: str = "") -> Self:
        member = make_member(cls, text, text)
        member.when = when
        return member

    INVITED = "CodeScreen: Candidate Invited"
    NOT_STARTED_YET = "CodeScreen: Not Started Yet", "after the days without a start that your rules say"
    NOT_STARTED = "CodeScreen: Not Started", "when the portal no longer waits for the start"
    IN_PROGRESS = "CodeScreen: Assessment in Progress"
    COMPLETED = "CodeScreen: Assessment Completed"
    EXPIRED = "CodeScreen: Assessment Expired", "when it expired"


#: A wording that was once set stays here: such a tag still counts as a progress tag, and is removed by the next one.
FORMER_PROGRESS_TAGS: tuple[str, ...] = ()


class ActionNotAllowed(Exception):
    """The row is not in a state that allows the action; the message is for people and says why.

    An exception rather than a result: it rolls the operation's transaction back, and pages, admin and commands show
    its message in one place whatever the action was.
    """
