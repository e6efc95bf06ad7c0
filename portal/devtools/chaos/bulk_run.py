"""A bulk move at Lever's own rate, without faults, and one candidate of another organization in the midst of it."""

import time
from datetime import datetime

from integrations.models import Effect
from portal.devtools.chaos import collect, quiesce, tenants
from portal.devtools.chaos.run import Run
from portal.devtools.chaos.table import Table
from portal.devtools.chaos.verification import verify
from portal.devtools.chaos.violations import Violation
from portal.devtools.sandbox.json_values import JsonObject

LEVER_RATE = 10.0
SECOND_MOVE_AFTER = 8.0  # seconds into the bulk move


class BulkRun(Run):
    """Many candidates of one organization at once, and one of another organization while that runs."""

    def _prepare(self) -> None:
        self._bulk, self._other = tenants.slugs(2)

    def run(self) -> Table:
        """Move them and measure. Raises RunFailed."""
        moved = tenants.create_candidates(self._lever, self._bulk, self._options.bulk)
        other_moved = tenants.create_candidates(self._lever, self._other, 1)
        calls_before = collect.count_calls(self._lever.ledger(self._bulk))
        began = time.time()
        tenants.move(self._lever, self._bulk, moved)
        time.sleep(SECOND_MOVE_AFTER)
        self._log("The bulk move runs; moving one candidate of another organization.")
        other_began = time.time()
        tenants.move(self._lever, self._other, other_moved)
        deadline = began + self._options.phase_seconds
        unfinished = quiesce.wait_until_idle(self._environment, deadline - time.time(), skips_backoff=False)
        evidence = collect.collect_evidence(self._environment, self._bulk, moved)
        other_evidence = collect.collect_evidence(self._environment, self._other, other_moved)
        verification = verify(evidence)
        verification.merge(verify(other_evidence))
        verification.record_rows_not_at_rest(unfinished)
        calls = collect.count_calls(evidence.lever) - calls_before
        sent = _sent_times(evidence.codescreen)
        other_sent = _sent_times(other_evidence.codescreen)
        last_tag = self._last_effect_time() - began
        figures = {
            "candidates": len(moved),
            "e_mails": len(sent),
            "invited_twice": verification.number_of(Violation.INVITED_TWICE),
            "lost": verification.number_of(Violation.LOST),
            "tags_wrong": verification.number_of(Violation.TAGS_WRONG),
            "lever_calls": calls.total(),
            "lever_calls_per_candidate": calls.total() / len(moved),
            "answered_429": calls[429],
            "seconds_until_the_last_e_mail": max(sent, default=0.0) - began,
            "seconds_until_the_last_tag": last_tag,
            "time_over_calls_at_10_per_second": last_tag / max(0.1, calls.total() / LEVER_RATE),
            "other_organization_move_to_e_mail_seconds": (
                other_sent[0] - other_began if other_sent else "never"
            ),
        }
        return Table(f"Bulk move of {len(moved)} candidates", figures, verification.broken)

    def _last_effect_time(self) -> float:
        """Return when the last effect of the bulk move was done, now if none was."""
        done = Effect.objects.filter(organization__slug=self._bulk, done_at__isnull=False)
        last: datetime | None = done.order_by("-done_at").values_list("done_at", flat=True).first()
        return last.timestamp() if last else time.time()


def _sent_times(codescreen: JsonObject) -> list[float]:
    """Return when CodeScreen sent each invitation, in seconds."""
    return [
        instance["sent_at"] / 1000
        for invitation in codescreen["invitations"]
        for instance in invitation["instances"]
    ]
