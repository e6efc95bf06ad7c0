"""What a CodeScreen account holds: its settings, assessments, and candidates' instances of them."""

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

from portal.devtools.sandbox.accounts import Account, RuntimeSettings
from portal.devtools.sandbox.messages import HttpError
from portal.devtools.sandbox.values import DAY_MS, JsonObject, new_id, now_ms
from portal.devtools.sandbox.webhook_sender import Delivery


@dataclass
class CodeScreenSettings(RuntimeSettings):
    """The extensions an account has beyond the three published calls, and how its webhooks behave.

    A new account has none of them: it answers exactly what CodeScreen publishes, and sends no webhooks.
    """

    metadata: bool = False  # result, reason, attempt and times inside `metadata`
    list_path: str = "/assessments"  # the list's one name; its other documented names answer 404, with "" all
    conflict_409: bool = False  # a second live invitation is refused
    webhook_url: str = ""
    webhook_secret: str = ""
    webhooks_enabled: bool = True
    webhook_retry_delays: list[float] = field(
        default_factory=lambda: [5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0]
    )
    webhook_duplicates: int = 0


RESULTS = ("Passed", "Failed", "Expired")
REASONS = ("Unit Tests", "Build Failure", "Build Timeout", "Expired")
UNSCORED_REASONS = frozenset({"Build Failure", "Build Timeout", "Expired"})


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an assessment came to; None is what CodeScreen doesn't state. `details` are further keys of `metadata`."""

    score: int | None = None
    result: str | None = None
    reason: str | None = None
    details: JsonObject = field(default_factory=dict)

    @classmethod
    def read(cls, document: JsonObject) -> "Evaluation":
        """Return the evaluation a JSON object gives; raises a 400 HttpError for an impossible one."""
        score, result, reason = (
            None if document.get(name) == "" else document.get(name) for name in ("score", "result", "reason")
        )
        if isinstance(score, str) and score.isdecimal():  # from a page's form
            score = int(score)
        details = document.get("details", {})
        if not isinstance(details, dict):
            raise HttpError(400, "details must be an object", "bad_request")
        if score is not None and (
            not isinstance(score, int) or isinstance(score, bool) or not 0 <= score <= 100
        ):
            raise HttpError(400, "score must be an integer from 0 to 100", "bad_request")
        if result not in (None, *RESULTS):
            raise HttpError(400, f"result must be one of {', '.join(RESULTS)}", "bad_request")
        if reason is not None and not isinstance(reason, str):
            raise HttpError(400, f"reason must be a text such as {', '.join(REASONS)}", "bad_request")
        if result in (None, "Passed"):
            reason = None
        elif result == "Expired":
            reason = "Expired"
        elif reason is None:
            reason = "Unit Tests"
        return cls(None if reason in UNSCORED_REASONS else score, result, reason, details)


EXPIRED = Evaluation(None, "Expired", "Expired")


class Phase(StrEnum):
    """How far a candidate is; finer than what the API's status says."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    COMPLETE = "complete"


_STATUSES = {
    Phase.NOT_STARTED: "Not_Started",
    Phase.IN_PROGRESS: "In_Progress",
    Phase.SUBMITTED: "In_Progress",
    Phase.COMPLETE: "Complete",
}


@dataclass
class Assessment:
    """An assessment candidates can be invited to."""

    id: str
    name: str
    days_to_start: float = 7
    days_to_finish: float = 3
    unit_tests: int = 20


@dataclass
class Instance:
    """One candidate's invitation to one assessment, and what came of it."""

    assessment: Assessment
    first_name: str
    last_name: str
    email: str
    id: str = field(default_factory=new_id)
    phase: Phase = Phase.NOT_STARTED
    score: int | None = None
    result: str | None = None
    reason: str | None = None
    details: JsonObject = field(default_factory=dict)
    attempt: int = 1
    sequence: int = 0
    sent_at: int = field(default_factory=now_ms)
    started_at: int | None = None
    submitted_at: int | None = None
    evaluated_at: int | None = None
    start_by: int = 0
    finish_by: int | None = None
    bounced: bool = False
    deleted_at: int | None = None
    report: tuple[str, str] = field(default_factory=lambda: (new_id(), new_id()))
    log: list[tuple[int, str]] = field(default_factory=list)

    @property
    def status(self) -> str:
        """The status as the API names it."""
        return _STATUSES[self.phase]

    @property
    def label(self) -> str:
        """The phase as the pages show it."""
        return self.phase.replace("_", " ").capitalize()

    @property
    def tests_passed(self) -> int | None:
        """How many unit tests passed; None without a score."""
        return None if self.score is None else self.score * self.assessment.unit_tests // 100

    @property
    def name(self) -> str:
        """The candidate's full name."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def is_overdue(self) -> bool:
        """Whether the time to start, or to finish, has run out."""
        limit = self.start_by if self.phase is Phase.NOT_STARTED else self.finish_by
        return self.phase in (Phase.NOT_STARTED, Phase.IN_PROGRESS) and limit is not None and now_ms() > limit

    def enter(self, phase: Phase, evaluation: Evaluation = Evaluation()) -> None:
        """Go on to a phase; of the last one, or after it, `evaluation` is what the assessment came to."""
        now = now_ms()
        if self.phase is Phase.COMPLETE:
            self.attempt += 1
        self.phase = phase
        self.score, self.result, self.reason = evaluation.score, evaluation.result, evaluation.reason
        self.details = evaluation.details
        match phase:
            case Phase.NOT_STARTED:
                self.start_by = now + int(self.assessment.days_to_start * DAY_MS)
                self.submitted_at = self.evaluated_at = None
            case Phase.IN_PROGRESS:
                self.started_at = self.started_at or now
                self.finish_by = now + int(self.assessment.days_to_finish * DAY_MS)
                self.submitted_at = self.evaluated_at = None
            case Phase.SUBMITTED:
                self.submitted_at = now
            case Phase.COMPLETE:
                self.evaluated_at = now


type PersonKey = tuple[str, str]  # an e-mail address and an assessment's id


class CodeScreenAccount(Account[CodeScreenSettings]):
    """State and indexes of one account."""

    def __init__(self, slug: str, name: str, api_key: str, settings: CodeScreenSettings) -> None:
        super().__init__(slug, name, settings)
        self.api_key = api_key
        self.assessments: dict[str, Assessment] = {}
        self.instances: dict[str, Instance] = {}
        self.by_person: defaultdict[PersonKey, list[Instance]] = defaultdict(list)
        self.deliveries: list[Delivery] = []

    def add(self, instance: Instance) -> None:
        """Add an instance."""
        self.instances[instance.id] = instance
        self.by_person[person_key(instance.email, instance.assessment.id)].append(instance)

    def find_assessment(self, name: str) -> Assessment | None:
        """Return the assessment with that id, or else with that name in any case."""
        if name in self.assessments:
            return self.assessments[name]
        folded = name.casefold()
        return next((item for item in self.assessments.values() if item.name.casefold() == folded), None)

    def latest(self, email: str, assessment: str) -> Instance | None:
        """Return a person's latest instance of an assessment that isn't deleted."""
        found = self.find_assessment(assessment)
        if found is None:
            return None
        instances = self.by_person.get(person_key(email, found.id), [])
        return next((item for item in reversed(instances) if item.deleted_at is None), None)


def person_key(email: str, assessment_id: str) -> PersonKey:
    """Return the key under which a person's instances of one assessment are kept."""
    return email.strip().casefold(), assessment_id
