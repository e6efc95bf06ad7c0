"""The promises that the runs check, each by the name of its violation, and the counts of a verification."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Violation(StrEnum):
    """A promise that wasn't kept."""

    # about one candidate
    INVITED_TWICE = "invited_twice"
    LOST = "lost"
    UNSETTLED = "unsettled"
    UNEXPLAINED = "unexplained"
    UNRESOLVED = "unresolved"
    ACCEPTED_WITHOUT_ROW = "accepted_without_a_row"
    FEEDBACK_TWICE = "feedback_twice"
    FEEDBACK_MISSING = "feedback_missing"
    FEEDBACK_WRONG = "feedback_wrong"
    TAGS_WRONG = "tags_wrong"
    LINKS_WRONG = "links_wrong"
    FILES_WRONG = "files_wrong"
    # about a whole run
    NOT_AT_REST = "not_at_rest"
    SWEEP_INCOMPLETE = "sweep_incomplete"
    WRONG_ANSWERS = "wrong_answers"
    SLOW = "slow"
    SLOW_WITHOUT_REDIS = "slow_without_redis"
    LATE_AFTER_DATABASE = "late_after_the_database"
    LATE_AFTER_IDLE_KILL = "late_after_idle_kill"
    LATE_AFTER_GROUP_KILL = "late_after_group_kill"
    LATE_AFTER_TERM = "late_after_term"
    BEGUN_AFTER_TERM = "begun_after_term"
    CHANGED_AFTER_LEASE = "changed_after_lease"
    FORGERY_ACCEPTED = "forgery_accepted"
    FORGERY_STORED = "forgery_stored"
    TIMING_MEASURABLE = "timing_measurable"


@dataclass
class Verification:
    """Counts of what was seen, and which cases broke which promise."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: dict[Violation, list[str]] = field(default_factory=dict)

    def record_violation(self, violation: Violation, *cases: str) -> None:
        """Note the cases, mostly opportunity ids, in which a promise wasn't kept; without cases it was."""
        if cases:
            self.broken.setdefault(violation, []).extend(cases)

    def record_rows_not_at_rest(self, count: int) -> None:
        """Note that rows still waited for a worker at the end, if there were any."""
        if count:
            self.record_violation(Violation.NOT_AT_REST, f"{count} rows")

    def number_of(self, violation: Violation) -> int:
        """Return how often a promise wasn't kept."""
        return len(self.broken.get(violation, []))

    def merge(self, other: "Verification") -> None:
        """Add another organization's verification."""
        self.counts.update(other.counts)
        for violation, cases in other.broken.items():
            self.record_violation(violation, *cases)
