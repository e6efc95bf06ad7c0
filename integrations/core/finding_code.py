"""The codes of the doctor's and the linter's findings: one record each, which says all that is said of a code.

To add a finding, add its record here, what finds it in `health/checks/`, and its line in
`portal/docs/operating/findings.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, Self

from integrations.core.act import Act
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
class Page:
    """A page, what a link to it says, and which of a member's rights its changes need; empty for one that is read."""

    url: str
    text: str
    needs: Literal["may_configure", "may_connect", ""] = ""
    lists_candidates: bool = False

    def at(self, place: str) -> Self:
        """Return a place on the page, a part of it or what it lists, as the address goes on."""
        return replace(self, url=f"{self.url}{place}")


ACTIVITY = Page("/activity/", "Open Candidates", lists_candidates=True)
FAILED_STEPS = Page("/candidates/bulk/?act=retry", "See what failed", lists_candidates=True)
MAPPINGS = Page("/mappings/", "Open Roles and rules", needs="may_configure")
SETTINGS = Page("/settings/", "Open Settings", needs="may_connect")
LEVER_SETTINGS, WEBHOOK_SETTINGS = SETTINGS.at("#lever"), SETTINGS.at("#webhook")
CODESCREEN_SETTINGS = SETTINGS.at("#codescreen")
TEAM, NOTIFICATIONS = SETTINGS.at("team/"), SETTINGS.at("notifications/")
API_TOKENS = SETTINGS.at("api/")
RESULT_RULES = Page("/settings/rules/#results", MAPPINGS.text, needs="may_configure")
OVERVIEW = Page("/", "Open the overview")
HEALTH = Page(f"{OVERVIEW.url}#health", "Open Health")
UNDECIDED = OVERVIEW.at("#undecided")
#: What others ask for who lack the right that a page's changes need.
ASKED_FOR = {"may_configure": Act.CONFIGURE, "may_connect": Act.CONNECT}


@dataclass(frozen=True)
class IncidentRecord:
    """An ongoing failure: its name on the site and in e-mails, and the subject of the e-mail about its end.

    It is worth an e-mail once it has lasted for `notify_after`. `is_told_elsewhere`: members are notified of each row,
    and so here only of the end.
    """

    name: str
    end_subject: str
    notify_after: timedelta = timedelta(0)
    is_told_elsewhere: bool = False

    @property
    def begin_subject(self) -> str:
        """The subject of the e-mail about its beginning; empty where there is none."""
        return "" if self.is_told_elsewhere else self.name


@dataclass(frozen=True)
class FindingRecord:
    """All about one code of findings.

    `page` is where in the portal it is fixed, and `level` how bad it is, unless a finding says otherwise. `link` is
    what the link of a finding says, where there is more to say than which page it is. `is_about_setup`: it is the
    linter's, about how mappings and tags are set up, and not about what works. `is_counted_on_overview`: the page
    *Overview* counts it or says it above its list. `stops_invitations`: it does so although it may be no error.
    `set_up_step` is the code of the step that says it while the step is to do.
    """

    code: str
    page: Page
    link: str = ""
    incident: IncidentRecord | None = None
    level: Level = Level.WARNING
    is_about_setup: bool = False
    is_counted_on_overview: bool = False
    stops_invitations: bool = False
    set_up_step: str = ""

    @property
    def label(self) -> str:
        """What the incident is called; empty where it is none."""
        return self.incident.name if self.incident else ""

    @property
    def is_about_candidates(self) -> bool:
        """Whether it is about single candidates, which its page lists; else all candidates depend on it."""
        return self.page.lists_candidates


class FindingCode(RecordEnum):
    """The stable codes of findings, which `doctor --json` prints and incidents are kept under."""

    record: FindingRecord

    OK = FindingRecord("ok", HEALTH, level=Level.INFO)
    UNREADABLE_SECRET = FindingRecord("unreadable_secret", SETTINGS, level=Level.ERROR)
    # Lever
    LEVER_NOT_CONNECTED = FindingRecord(
        "lever_not_connected", SETTINGS, "Connect Lever", level=Level.ERROR, set_up_step="lever"
    )
    # no incident: `notify_reconnect_needed` in notifications/notify.py tells of it
    LEVER_RECONNECT = FindingRecord(
        "lever_reconnect", SETTINGS, "Connect Lever again", level=Level.ERROR, set_up_step="lever"
    )
    LEVER_TOKEN_ENDS = FindingRecord("lever_token_ends", SETTINGS, "Connect Lever again")
    LEVER_SCOPES_MISSING = FindingRecord("lever_scopes_missing", SETTINGS)
    LEVER_ACCOUNT_SHARED = FindingRecord("lever_account_shared", LEVER_SETTINGS)
    OTHER_INTEGRATION = FindingRecord(
        "other_integration",
        OVERVIEW,
        "Say that it is off",
        IncidentRecord(
            "CodeScreen's own Lever integration may be on too", "Only this integration invites people again"
        ),
        level=Level.ERROR,
        is_counted_on_overview=True,
        set_up_step="other_integration",
    )
    NO_WEBHOOK = FindingRecord("no_webhook", WEBHOOK_SETTINGS, set_up_step="webhook")
    WEBHOOK_REMOVED = FindingRecord(
        "webhook_removed",
        WEBHOOK_SETTINGS,
        incident=IncidentRecord("The webhook was removed in Lever", "The webhook is in Lever again"),
    )
    WEBHOOK_REJECTED = FindingRecord(
        "webhook_rejected",
        WEBHOOK_SETTINGS,
        "Open the webhook settings",
        IncidentRecord(
            "We are rejecting webhooks",
            "Webhooks are accepted again",
            timedelta(minutes=10),
        ),
        stops_invitations=True,
        set_up_step="webhook",
    )
    FEEDBACK_TEMPLATE_INCOMPLETE = FindingRecord("feedback_template_incomplete", SETTINGS)
    # CodeScreen
    CODESCREEN_NOT_CONNECTED = FindingRecord(
        "codescreen_not_connected", SETTINGS, "Enter the API key", level=Level.ERROR, set_up_step="codescreen"
    )
    CODESCREEN_KEY_REFUSED = FindingRecord(
        "codescreen_key_refused",
        SETTINGS,
        "Enter the API key",
        IncidentRecord("CodeScreen refused the API key", "CodeScreen accepts the API key again"),
        level=Level.ERROR,
        set_up_step="codescreen",
    )
    CODESCREEN_NOT_FOUND = FindingRecord(
        "codescreen_not_found",
        CODESCREEN_SETTINGS,
        "Test the key",
        IncidentRecord("CodeScreen's API isn't there", "CodeScreen's API is there again"),
        level=Level.ERROR,
        set_up_step="codescreen",
    )
    RESULTS_NOT_STATED = FindingRecord("results_not_stated", CODESCREEN_SETTINGS, level=Level.INFO)
    # policies and people
    NO_TRIGGER_STAGE = FindingRecord("no_trigger_stage", SETTINGS, level=Level.ERROR)
    NO_ROLES_MAPPED = FindingRecord("no_roles_mapped", MAPPINGS, set_up_step="roles")
    UNKNOWN_STAGE_ON_PASS = FindingRecord("unknown_stage_on_pass", RESULT_RULES, level=Level.ERROR)
    PAUSED = FindingRecord("paused", OVERVIEW, is_counted_on_overview=True)
    NO_SUPER_ADMIN = FindingRecord("no_super_admin", SETTINGS.at("team/"))
    FORMER_MEMBERS_TOKEN = FindingRecord("former_members_token", SETTINGS.at("api/"), "Revoke it")
    POSSIBLY_INVITED = FindingRecord(
        "possibly_invited", ACTIVITY.at("?view=not_invited&reason=entered_before"), "Review"
    )
    UNCERTAIN_INVITATIONS = FindingRecord(
        "uncertain_invitations",
        ACTIVITY.at("?status=uncertain"),
        "Review",
        IncidentRecord(
            "Invitations were possibly sent",
            "It is clear which invitations were sent",
            is_told_elsewhere=True,
        ),
        is_counted_on_overview=True,
        level=Level.ERROR,
    )
    HELD_INVITATIONS = FindingRecord(
        "held_invitations",
        ACTIVITY.at("?status=held"),
        "Review",
        IncidentRecord("Invitations need approval", "No invitation needs approval any more"),
        is_counted_on_overview=True,
    )
    # the work
    FAILED_EFFECTS = FindingRecord(
        "failed_effects",
        FAILED_STEPS,
        "See what failed",
        IncidentRecord(
            "Something could not be written or sent",
            "Everything that failed has been done",
            timedelta(minutes=2),
        ),
        is_counted_on_overview=True,
    )
    MESSAGES_UNSENT = FindingRecord(
        "messages_unsent",
        HEALTH,
        incident=IncidentRecord(
            "E-mails or chat messages can't be sent", "E-mails and chat messages are sent again"
        ),
    )
    UNDECIDED_DELIVERIES = FindingRecord(
        "undecided_deliveries",
        UNDECIDED,
        "See who waits",
        IncidentRecord(
            "Stage changes wait for a decision",
            "No stage change waits for a decision any more",
            timedelta(minutes=2),
        ),
        level=Level.ERROR,
    )
    WORK_LATE = FindingRecord("work_late", HEALTH)
    PLATFORM_DOWN = FindingRecord(
        "platform_down",
        HEALTH,
        incident=IncidentRecord(
            "Lever or CodeScreen doesn't answer", "Lever and CodeScreen answer again", timedelta(minutes=10)
        ),
        stops_invitations=True,
    )
    SWEEP_REPAIRED = FindingRecord(
        "sweep_repaired",
        SETTINGS,
        incident=IncidentRecord(
            "Lever's webhook missed candidates", "Lever's webhook reports every candidate again"
        ),
    )
    DUTY_FAILING = FindingRecord(
        "duty_failing",
        HEALTH,
        incident=IncidentRecord(
            "A background job keeps failing", "Every background job is done again", timedelta(hours=1)
        ),
    )
    # mappings and tags
    UNKNOWN_ASSESSMENT = FindingRecord("unknown_assessment", MAPPINGS, is_about_setup=True)
    AMBIGUOUS_ASSESSMENT = FindingRecord("ambiguous_assessment", MAPPINGS, is_about_setup=True)
    UNKNOWN_ROLE = FindingRecord("unknown_role", MAPPINGS, is_about_setup=True)
    UNKNOWN_STAGE = FindingRecord("unknown_stage", MAPPINGS, is_about_setup=True)


#: The findings that are incidents.
INCIDENTS: Mapping[str, IncidentRecord] = {
    code: code.record.incident for code in FindingCode if code.record.incident
}
#: The incidents that all candidates depend on: the others are work that waits for a person, such as an approval.
OUTAGES = [code for code in INCIDENTS if not FindingCode(code).record.is_about_candidates]
