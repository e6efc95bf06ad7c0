"""The run with faults: everything goes wrong at once, then it settles, and the books are counted."""

import time
from typing import Any

from portal.devtools.chaos import collect, environment, faults, quiesce, tenants
from portal.devtools.chaos.candidate_actions import Visits
from portal.devtools.chaos.faults import Interruption, Interruptions
from portal.devtools.chaos.run import Run
from portal.devtools.chaos.table import Table
from portal.devtools.chaos.verify import PROMISES, Judgement, judge
from portal.devtools.chaos.workload import Crowd, Recruiters, gather, pending, settle_in

QUIET_LOOKS = 4
ROUNDS = 3


class Storm(Run):
    """One run with faults."""

    def _prepare(self) -> None:
        self._crowd: Crowd = gather(self._options)
        self._interruptions = Interruptions(self._programs, self._options)
        self._visits = Visits(self._stage, self._crowd)
        self._stopped_at = 0.0

    def run(self) -> Table:
        """Let it rage, let it settle, and count. Raises NotReady."""
        settle_in(self._stage, self._crowd)
        began = time.monotonic()
        self._rage()
        raged = time.monotonic() - began
        self._say(f"{raged:.0f} s of faults are over; settling.")
        left = self._settle()
        settled = time.monotonic() - began - raged
        self._say(f"Settled after {settled:.0f} s; counting.")
        return self._count(left, raged, settled)

    def _rage(self) -> None:
        deadline = time.monotonic() + self._options.phase_seconds
        if self._options.faults:
            faults.begin(self._stage, self._options)
        self._interruptions.start()
        self._visits.start()
        try:
            Recruiters(self._stage, self._crowd, self._options).work(deadline)
            self._say(f"{self._crowd.events} stage changes are made.")
            self._wait_for_quiet(deadline)
        finally:
            self._interruptions.stop()
            self._visits.stop()
            self._stopped_at = time.time()
            faults.end(self._stage)

    def _wait_for_quiet(self, deadline: float) -> None:
        """Go on until the workers have taken everything there was to take, apart from what waits to be retried."""
        quiet = 0
        while quiet < QUIET_LOOKS and time.monotonic() < deadline:
            is_quiet = not pending(self._stage) and not quiesce.patiently(quiesce.backlog)
            quiet = quiet + 1 if is_quiet else 0
            time.sleep(quiesce.LOOK_EVERY)

    def _settle(self) -> int:
        """Let the rows come to rest, sweep, and let the last candidates act; how many rows still wait."""
        deadline = time.monotonic() + self._options.phase_seconds
        left = self._rest(deadline)
        quiesce.sweep()
        left = self._rest(deadline)
        for number in range(ROUNDS):
            acted = 0
            while count := self._visits.go_round():
                acted += count
            if number and not acted:
                break
            unasked = quiesce.poll(self._visits.acted, max(1.0, deadline - time.monotonic()))
            left = self._rest(deadline) + unasked
        return left

    def _rest(self, deadline: float) -> int:
        return quiesce.rest(self._stage, max(1.0, deadline - time.monotonic()))

    def _count(self, left: int, raged: float, settled: float) -> Table:
        judgement, sent, answered, calls, limited = Judgement(), 0, 0, 0, 0
        slugs = tenants.slugs(self._options.organizations)
        for slug in slugs:
            moved = {item.opportunity for item in self._crowd.candidates if item.organization == slug}
            seen, has_webhooks = self._interruptions.seen, self._options.webhooks
            found = collect.collect(self._stage, slug, moved, seen, has_webhooks)
            judgement.add(judge(found))
            deliveries = [item for item in found.lever["deliveries"] if item["subject"] in moved]
            sent += len(deliveries)
            answered += sum(item["state"] == "delivered" for item in deliveries)
            by_status = collect.calls(found.lever)
            calls += sum(by_status.values())
            limited += by_status[429]
        rows = self._rows(judgement, raged, settled) | {
            "lever_calls_per_candidate": calls / max(1, judgement.counts["candidates"]),
        }
        rows["deliveries"] = f"{sent} sent, {answered} taken, {collect.repeats()} recognised as repeats"
        if left:
            judgement.broken["not_at_rest"] = [f"{left} rows"]
        return Table(self._title(), _in_order(rows), judgement.broken)

    def _rows(self, judgement: Judgement, raged: float, settled: float) -> dict[str, Any]:
        counts, seen = judgement.counts, self._interruptions.seen
        early = [item for item in seen if item.at < self._stopped_at - 1]
        recovery, after = collect.longest_recovery(early, collect.finishes())
        broken = {promise: len(judgement.broken.get(promise, [])) for promise in PROMISES}
        return {
            "events": self._crowd.events,
            "verdicts": collect.verdicts(),
            "candidates_invited": counts["candidates"],
            "e_mails": counts["emails"],
            "invited_twice": broken["twice"],
            "lost": broken["lost"],
            "accepted_without_a_row": broken["unheard"],
            "uncertain": f"{counts['uncertain']} ({counts['uncertain_sent']} of them were sent)",
            "explained_by_a_fault": counts["explained_by_fault"],
            "explained_by_a_kill": counts["explained_by_kill"],
            "unexplained": broken["unexplained"],
            "unresolved_though_told": broken["unresolved"],
            "unsettled": broken["unsettled"],
            "completed": counts["completed"],
            "feedback": counts["feedback"],
            "feedback_twice": broken["feedback_twice"],
            "feedback_missing": broken["feedback_missing"],
            "feedback_wrong": broken["feedback_wrong"],
            "tags_wrong": broken["tags_wrong"],
            "links_wrong": broken["links_wrong"],
            "repaired_by_the_sweep": collect.repaired(),
            "interruptions": _by_kind(seen),
            "clusters_of_workers_one_after_another": self._programs.clusters,
            "longest_recovery_seconds": recovery,
            "longest_recovery_after": after,
            "seconds_with_faults": raged,
            "seconds_to_settle": settled,
            **self._beside_the_fault_free(raged + settled),
        }

    def _beside_the_fault_free(self, seconds: float) -> dict[str, float]:
        calm = environment.fault_free_seconds()
        if calm is None:
            return {}
        return {"seconds_without_faults": calm, "time_over_the_fault_free": seconds / calm}

    def _title(self) -> str:
        options = self._options
        where = "PostgreSQL" if options.database_url else "SQLite"
        where += " + Redis" if options.redis_url else ""
        return (
            f"Chaos on {where}: {options.events} events, {options.duplicates:.0%} duplicates, {options.faults:.0%} "
            f"faults, a kill every {options.kill_every:g} s, seed {options.seed}, "
            f"{options.organizations} organization(s), idempotency {'on' if options.idempotency else 'off'}, "
            f"CodeScreen's webhooks {'on' if options.webhooks else 'off'}"
        )


def _by_kind(seen: list[Interruption]) -> dict[str, int]:
    kinds = [item.kind for item in seen]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def _in_order(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the rows with what came in before what went out."""
    first = {name: rows.pop(name) for name in ("events", "deliveries")}
    return first | rows
