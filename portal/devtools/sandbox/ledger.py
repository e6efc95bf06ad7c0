"""The ledger: which calls a platform got, and which faults left a caller guessing."""

from collections import Counter
from collections.abc import Iterable

from portal.devtools.sandbox.faults import Fault
from portal.devtools.sandbox.values import JsonObject


class Ledger:
    """What happened in one account, for tests and fault runs to check; guarded by the account's lock."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, str, int]] = Counter()
        self.faults: dict[str, Counter[str]] = {}
        self.ambiguous: Counter[str] = Counter()

    def count_call(self, method: str, path_template: str, status: int) -> None:
        """Count one API call and its answer."""
        self.calls[method, path_template, status] += 1

    def record_fault(self, subject: str, fault: Fault, *, took_effect: bool) -> None:
        """Count a fault on a write, under the opportunity or e-mail address it concerned."""
        outcome = "took_effect" if took_effect else "no_effect"
        self.faults.setdefault(subject, Counter())[f"{fault.label}:{outcome}"] += 1
        if fault.is_ambiguous:
            self.ambiguous[subject] += 1

    def faults_of(self, subject: str) -> JsonObject:
        """Return the faults of one subject by kind and outcome, and how many of them were ambiguous."""
        return {"faults": dict(self.faults.get(subject, {})), "ambiguous": self.ambiguous[subject]}

    def describe_calls(self) -> list[JsonObject]:
        """Return the calls by method, path template and status, most frequent first."""
        return [
            {"method": method, "path": path_template, "status": status, "count": count}
            for (method, path_template, status), count in self.calls.most_common()
        ]

    def calls_with_status(self, status: int) -> int:
        """Return how many calls were answered with a status."""
        return sum(count for (_, _, answered), count in self.calls.items() if answered == status)

    def other_faults(self, known: Iterable[str]) -> JsonObject:
        """Return the faults that concerned none of the known subjects, such as token requests."""
        names = set(known)
        return {subject: dict(counts) for subject, counts in self.faults.items() if subject not in names}
