"""The codes of the doctor's and the linter's findings: one record each, which says all that is said of a code.

To add a finding, add its record here and what finds it; where it is an incident also what finds its rows
(`health/incidents.py`) and its candidates (`admin/incident.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from integrations.core.vocabulary import LabelledEnum, RecordEnum


class Level(LabelledEnum):
    """How bad a finding is, from harmless to broken."""

    INFO = "info", "Note"
    WARNING = "warning", "Fix soon"
    ERROR = "error", "Fix now"

    @property
    def severity(self) -> int:
        """The place among the levels; the higher the worse."""
        return list(Level).index(self)


@dataclass(frozen=True)
class IncidentRecord:
    """An ongoing failure: its name on the site and in e-mails, and the subject of the e-mail about its end.

    It is worth an e-mail once it has lasted for `notify_after`. Below `least_level` the finding is worth knowing, and
    the problem over. `is_told_elsewhere`: members are notified of each row, and so here only of the end.
    """

    name: str
    end_subject: str
    notify_after: timedelta = timedelta(0)
    least_level: Level = Level.INFO
    is_told_elsewhere: bool = False

    @property
    def begin_subject(self) -> str:
        """The subject of the e-mail about its beginning; empty where there is none."""
        return "" if self.is_told_elsewhere else self.name


@dataclass(frozen=True)
class FindingRecord:
    """All about one code of findings.

    `link` is what the link of a finding says, where there is more to say than which page it is. `is_about_setup`: it is
    the linter's, about how mappings and tags are set up, and not about what works. `is_counted_on_overview`: the page
    *Overview* counts it or says it above its list. `stops_invitations`: it does so although it may be no error.
    """

    code: str
    link: str = ""
    incident: IncidentRecord | None = None
    is_about_setup: bool = False
    is_counted_on_overview: bool = False
    stops_invitations: bool = False

    @property
    def label(self) -> str:
        """What the incident is called; empty where it is none."""
        return self.incident.name if self.incident else ""


class FindingCode(RecordEnum):
    """The stable codes of findings, which `doctor --json` prints and incidents are kept under."""

    record: FindingRecord

    OK = FindingRecord("ok")
    UNREADABLE_SECRET = FindingRecord("unreadable_secret")
    # Lever
    LEVER_NOT_CONNECTED = FindingRecord("lever_not_connected", "Connect Lever")
    LEVER_RECONNECT = FindingRecord("lever_reconnect", "Connect Lever again")
    LEVER_TOKEN_ENDS = FindingRecord("lever_token_ends", "Connect Lever again")
    LEVER_SCOPES_MISSING = FindingRecord("lever_scopes_missing")
    LEVER_ACCOUNT_SHARED = FindingRecord("lever_account_shared")
    CLOCK_SKEW = FindingRecord("clock_skew")
    NO_SIGNATURE_TOKEN = FindingRecord("no_signature_token")
    NO_DELIVERY_SEEN = FindingRecord("no_delivery_seen")
    WEBHOOK_REMOVED = FindingRecord(
        "webhook_removed",
        incident=IncidentRecord("The webhook was removed in Lever", "The webhook is in Lever again"),
    )
    DELETION_WEBHOOK_MISSING = FindingRecord("deletion_webhook_missing")
    WEBHOOK_SILENCE = FindingRecord(
        "webhook_silence",
        incident=IncidentRecord("Lever has stopped sending webhooks", "Lever sends webhooks again"),
    )
    FORMER_ADDRESS_USED = FindingRecord("former_address_used")
    WEBHOOK_REJECTED = FindingRecord(
        "webhook_rejected",
        "Open the webhook settings",
        IncidentRecord(
            "We are rejecting webhooks",
            "Webhooks are accepted again",
            timedelta(minutes=10),
            least_level=Level.WARNING,
        ),
        stops_invitations=True,
    )
    FEEDBACK_TEMPLATE_GONE = FindingRecord("feedback_template_gone")
    FEEDBACK_TEMPLATE_INCOMPLETE = FindingRecord("feedback_template_incomplete")
    FEEDBACK_AUTHOR_GONE = FindingRecord("feedback_author_gone")
    # CodeScreen
    CODESCREEN_NOT_CONNECTED = FindingRecord("codescreen_not_connected", "Enter the API key")
    CODESCREEN_KEY_REFUSED = FindingRecord(
        "codescreen_key_refused",
        "Enter the API key",
        IncidentRecord("CodeScreen refused the API key", "CodeScreen accepts the API key again"),
    )
    CODESCREEN_KEY_UNTRIED = FindingRecord("codescreen_key_untried")
    CODESCREEN_KEY_UNHEARD = FindingRecord("codescreen_key_unheard")
    CODESCREEN_KEY_OLD = FindingRecord("codescreen_key_old")
    RESULTS_NOT_STATED = FindingRecord("results_not_stated")
    # what the platforms send
    SHAPE_CHANGED = FindingRecord("shape_changed")
    # policies and people
    NO_TRIGGER_STAGE = FindingRecord("no_trigger_stage")
    NO_ROLES_MAPPED = FindingRecord("no_roles_mapped")
    UNKNOWN_PASSED_STAGE = FindingRecord("unknown_passed_stage")
    PASSED_STAGE_INVITES = FindingRecord("passed_stage_invites")
    PAUSED = FindingRecord("paused", is_counted_on_overview=True)
    NO_SUPER_ADMIN = FindingRecord("no_super_admin")
    SINGLE_SIGN_ON_SECRET_MISSING = FindingRecord("single_sign_on_secret_missing")
    SINGLE_SIGN_ON_FAILING = FindingRecord("single_sign_on_failing")
    SINGLE_SIGN_ON_WITHOUT_DOMAIN = FindingRecord("single_sign_on_without_domain")
    SIGN_IN_DOMAIN_GONE = FindingRecord("sign_in_domain_gone")
    RESTORED_CONNECTION = FindingRecord("restored_connection", "Connect Lever again")
    RESTORED_LOG = FindingRecord("restored_log")
    POSSIBLY_INVITED = FindingRecord("possibly_invited", "Review")
    UNCERTAIN_INVITATIONS = FindingRecord(
        "uncertain_invitations",
        "Review",
        IncidentRecord(
            "Invitations may or may not have been sent",
            "No invitation is uncertain any more",
            is_told_elsewhere=True,
        ),
        is_counted_on_overview=True,
    )
    HELD_INVITATIONS = FindingRecord(
        "held_invitations",
        "Review",
        IncidentRecord("Invitations need approval", "No invitation needs approval any more"),
        is_counted_on_overview=True,
    )
    BOUNCED_INVITATIONS = FindingRecord("bounced_invitations", "See which", is_counted_on_overview=True)
    FOLLOWING_ENDED = FindingRecord("following_ended", "See which")
    AWAITING_DECISION = FindingRecord("awaiting_decision", "Review", is_counted_on_overview=True)
    # the work
    FAILED_EFFECTS = FindingRecord(
        "failed_effects",
        "See what failed",
        IncidentRecord(
            "Something could not be written or sent",
            "Everything that failed has been done",
            timedelta(minutes=2),
        ),
        is_counted_on_overview=True,
    )
    STUCK_DELIVERIES = FindingRecord(
        "stuck_deliveries",
        "See which",
        IncidentRecord(
            "Stage changes could not be processed", "Every stage change is processed", timedelta(minutes=2)
        ),
    )
    UNDECIDED_DELIVERIES = FindingRecord(
        "undecided_deliveries",
        "See who waits",
        IncidentRecord("Stage changes wait for a decision", "No stage change waits for a decision any more"),
    )
    OLDEST_DUE = FindingRecord("oldest_due")
    QUEUE_SILENT = FindingRecord("queue_silent")
    PLATFORM_DOWN = FindingRecord(
        "platform_down",
        incident=IncidentRecord(
            "Lever or CodeScreen doesn't answer", "Lever and CodeScreen answer again", timedelta(minutes=10)
        ),
        stops_invitations=True,
    )
    SWEEP_REPAIRED = FindingRecord(
        "sweep_repaired",
        incident=IncidentRecord(
            "Lever's webhook missed candidates", "Lever's webhook reports every candidate again"
        ),
    )
    DUTY_FAILING = FindingRecord(
        "duty_failing",
        incident=IncidentRecord(
            "A background job keeps failing", "Every background job is done again", timedelta(hours=1)
        ),
    )
    DUTY_OVERDUE = FindingRecord("duty_overdue")
    SWEEP_LATE = FindingRecord("sweep_late")
    # mappings and tags
    UNKNOWN_ASSESSMENT = FindingRecord("unknown_assessment", is_about_setup=True)
    AMBIGUOUS_ASSESSMENT = FindingRecord("ambiguous_assessment", is_about_setup=True)
    UNKNOWN_ROLE = FindingRecord("unknown_role", is_about_setup=True)
    UNKNOWN_STAGE = FindingRecord("unknown_stage", is_about_setup=True)
    RENAMED_STAGE = FindingRecord("renamed_stage", is_about_setup=True)
    UNKNOWN_CANDIDATE_TAG = FindingRecord("unknown_candidate_tag", is_about_setup=True)
    CANDIDATE_TAG_ALONE = FindingRecord("candidate_tag_alone", is_about_setup=True)
    ROLE_WITHOUT_ASSESSMENT = FindingRecord("role_without_assessment", is_about_setup=True)
    DUPLICATE_ASSESSMENT = FindingRecord("duplicate_assessment", is_about_setup=True)
    DUPLICATE_MAPPING = FindingRecord("duplicate_mapping", is_about_setup=True)
    DUPLICATE_ROLE = FindingRecord("duplicate_role", is_about_setup=True)


#: The findings that are incidents.
INCIDENTS: Mapping[str, IncidentRecord] = {
    code: code.record.incident for code in FindingCode if code.record.incident
}
