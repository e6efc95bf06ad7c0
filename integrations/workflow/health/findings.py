"""What the doctor and the mapping linter find: a problem, or what is worth knowing, its fix, and the page for that."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, Self


@dataclass(frozen=True)
class Page:
    """A page, what a link to it says, and which of a member's rights its changes need; empty for one that is read."""

    url: str
    text: str
    needs: Literal["may_configure", "may_connect", ""] = ""

    def at(self, place: str) -> Self:
        """Return a place on the page, a part of it or what it lists, as the address goes on."""
        return replace(self, url=f"{self.url}{place}")


ACTIVITY = Page("/activity/", "Open Candidates")
HEALTH = Page("/health/", "Open Health")
MAPPINGS = Page("/mappings/", "Open Mappings", needs="may_configure")
SETTINGS = Page("/settings/", "Open Settings", needs="may_connect")
LEVER_SETTINGS, WEBHOOK_SETTINGS = SETTINGS.at("#lever"), SETTINGS.at("#webhook")
CODESCREEN_SETTINGS, SINGLE_SIGN_ON = SETTINGS.at("#codescreen"), SETTINGS.at("sso/")
AUTHOR, POLICY_SETTINGS = (
    Page(f"{SETTINGS.url}{place}/", SETTINGS.text, needs="may_configure") for place in ("author", "rules")
)
#: Where people who may not change a setting find somebody who may.
ASK = Page(f"{SETTINGS.url}#ask", "Ask an Admin")


class Level(StrEnum):
    """How bad a finding is, from harmless to broken."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def label(self) -> str:
        """The level in words for people."""
        return _LABELS[self]

    @property
    def severity(self) -> int:
        """The place among the levels; the higher the worse."""
        return list(Level).index(self)


_LABELS = {Level.INFO: "Note", Level.WARNING: "Fix soon", Level.ERROR: "Fix now"}


class FindingCode(StrEnum):
    """The stable codes of findings, which `doctor --json` prints and incidents are kept under."""

    OK = "ok"
    UNREADABLE_SECRET = "unreadable_secret"
    # Lever
    LEVER_NOT_CONNECTED = "lever_not_connected"
    LEVER_RECONNECT = "lever_reconnect"
    LEVER_TOKEN_ENDS = "lever_token_ends"
    LEVER_SCOPES_MISSING = "lever_scopes_missing"
    LEVER_ACCOUNT_SHARED = "lever_account_shared"
    CLOCK_SKEW = "clock_skew"
    NO_SIGNATURE_TOKEN = "no_signature_token"
    NO_DELIVERY_SEEN = "no_delivery_seen"
    WEBHOOK_REMOVED = "webhook_removed"
    DELETION_WEBHOOK_MISSING = "deletion_webhook_missing"
    WEBHOOK_SILENCE = "webhook_silence"
    FORMER_ADDRESS_USED = "former_address_used"
    WEBHOOK_REJECTED = "webhook_rejected"
    FEEDBACK_TEMPLATE_GONE = "feedback_template_gone"
    FEEDBACK_TEMPLATE_INCOMPLETE = "feedback_template_incomplete"
    FEEDBACK_AUTHOR_GONE = "feedback_author_gone"
    # CodeScreen
    CODESCREEN_NOT_CONNECTED = "codescreen_not_connected"
    CODESCREEN_KEY_REFUSED = "codescreen_key_refused"
    CODESCREEN_KEY_UNTRIED = "codescreen_key_untried"
    CODESCREEN_KEY_UNHEARD = "codescreen_key_unheard"
    CODESCREEN_KEY_OLD = "codescreen_key_old"
    RESULTS_NOT_STATED = "results_not_stated"
    # what the platforms send
    SHAPE_CHANGED = "shape_changed"
    # policies and people
    NO_TRIGGER_STAGE = "no_trigger_stage"
    NO_ROLES_MAPPED = "no_roles_mapped"
    UNKNOWN_PASSED_STAGE = "unknown_passed_stage"
    PASSED_STAGE_INVITES = "passed_stage_invites"
    PAUSED = "paused"
    NO_SUPER_ADMIN = "no_super_admin"
    SINGLE_SIGN_ON_SECRET_MISSING = "single_sign_on_secret_missing"
    SINGLE_SIGN_ON_FAILING = "single_sign_on_failing"
    SINGLE_SIGN_ON_WITHOUT_DOMAIN = "single_sign_on_without_domain"
    SIGN_IN_DOMAIN_GONE = "sign_in_domain_gone"
    RESTORED_CONNECTION = "restored_connection"
    RESTORED_LOG = "restored_log"
    POSSIBLY_INVITED = "possibly_invited"
    UNCERTAIN_INVITATIONS = "uncertain_invitations"
    HELD_INVITATIONS = "held_invitations"
    BOUNCED_INVITATIONS = "bounced_invitations"
    FOLLOWING_ENDED = "following_ended"
    AWAITING_DECISION = "awaiting_decision"
    # the work
    FAILED_EFFECTS = "failed_effects"
    STUCK_DELIVERIES = "stuck_deliveries"
    UNDECIDED_DELIVERIES = "undecided_deliveries"
    OLDEST_DUE = "oldest_due"
    QUEUE_SILENT = "queue_silent"
    PLATFORM_DOWN = "platform_down"
    SWEEP_REPAIRED = "sweep_repaired"
    DUTY_FAILING = "duty_failing"
    DUTY_OVERDUE = "duty_overdue"
    SWEEP_LATE = "sweep_late"
    # mappings and tags
    UNKNOWN_ASSESSMENT = "unknown_assessment"
    AMBIGUOUS_ASSESSMENT = "ambiguous_assessment"
    UNKNOWN_ROLE = "unknown_role"
    UNKNOWN_STAGE = "unknown_stage"
    RENAMED_STAGE = "renamed_stage"
    UNKNOWN_CANDIDATE_TAG = "unknown_candidate_tag"
    CANDIDATE_TAG_ALONE = "candidate_tag_alone"
    ROLE_WITHOUT_ASSESSMENT = "role_without_assessment"
    DUPLICATE_ASSESSMENT = "duplicate_assessment"
    DUPLICATE_MAPPING = "duplicate_mapping"
    DUPLICATE_ROLE = "duplicate_role"


#: The linter's findings.
SETUP_CODES = frozenset(
    {
        FindingCode.UNKNOWN_ASSESSMENT,
        FindingCode.AMBIGUOUS_ASSESSMENT,
        FindingCode.UNKNOWN_ROLE,
        FindingCode.UNKNOWN_STAGE,
        FindingCode.RENAMED_STAGE,
        FindingCode.UNKNOWN_CANDIDATE_TAG,
        FindingCode.CANDIDATE_TAG_ALONE,
        FindingCode.ROLE_WITHOUT_ASSESSMENT,
        FindingCode.DUPLICATE_ASSESSMENT,
        FindingCode.DUPLICATE_MAPPING,
        FindingCode.DUPLICATE_ROLE,
    }
)

#: What the link of a finding says, where there is more to say than which page it is.
_LINKS = {
    FindingCode.LEVER_NOT_CONNECTED: "Connect Lever",
    FindingCode.LEVER_RECONNECT: "Connect Lever again",
    FindingCode.LEVER_TOKEN_ENDS: "Connect Lever again",
    FindingCode.CODESCREEN_NOT_CONNECTED: "Enter the API key",
    FindingCode.CODESCREEN_KEY_REFUSED: "Enter the API key",
    FindingCode.WEBHOOK_REJECTED: "Open the webhook settings",
    FindingCode.HELD_INVITATIONS: "Review",
    FindingCode.UNCERTAIN_INVITATIONS: "Review",
    FindingCode.POSSIBLY_INVITED: "Review",
    FindingCode.RESTORED_CONNECTION: "Connect Lever again",
    FindingCode.BOUNCED_INVITATIONS: "See which",
    FindingCode.AWAITING_DECISION: "Review",
    FindingCode.FOLLOWING_ENDED: "See which",
    FindingCode.FAILED_EFFECTS: "See what failed",
    FindingCode.UNDECIDED_DELIVERIES: "See who waits",
}


@dataclass(frozen=True)
class Finding:
    """One thing a person should know about an organization, given by its slug.

    `message` says what is wrong, `fix` what to do about it, `page` where in the portal.
    """

    organization: str
    code: FindingCode
    level: Level
    message: str
    fix: str
    page: Page

    @property
    def is_about_setup(self) -> bool:
        """Whether it is about how mappings and tags are set up, and not about what works."""
        return self.code in SETUP_CODES

    @property
    def link_text(self) -> str:
        """What a link to the page says."""
        return self.page.text if self.page == ASK else _LINKS.get(self.code, self.page.text)
