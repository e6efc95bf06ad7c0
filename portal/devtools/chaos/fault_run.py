"""The run with faults: everything fails at once, then it comes to rest, and the ledgers are verified."""

import threading
import time
from collections import Counter

from integrations.core.verdict_code import INVITING_VERDICTS
from integrations.core.vocabulary import DeliveryEvent
from integrations.inbox.models.delivery import Delivery
from portal.devtools.chaos import quiesce
from portal.devtools.chaos.interruptions import PROMISED_SECONDS, FaultInjector
from portal.devtools.chaos.load_generator import (
    LoadGenerator,
    Workload,
    make_visit,
    pending_deliveries,
    plan_workload,
    seed,
)
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.run import Run, Table, Violation
from portal.devtools.chaos.verification import collect_evidence, verify
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox.values import JsonObject
from portal.devtools.sandbox_client import SandboxClient

#: How long the portal waits for an answer of a platform here.
READ_SECONDS = 3.0
TIMEOUT_MS = int(READ_SECONDS * 1000) + 1500

#: Faults by weight. In those "after" the call has taken effect, as in half of all failures.
MIX: tuple[tuple[float, JsonObject], ...] = (
    (1.0, {"kind": "status", "status": 429}),
    (0.3, {"kind": "status", "status": 429, "retry_after": 1}),
    (0.8, {"kind": "status", "status": 500}),
    (0.5, {"kind": "status", "status": 502}),
    (1.0, {"kind": "status", "status": 503}),
    (0.5, {"kind": "status", "status": 504}),
    (0.8, {"kind": "reset_before"}),
    (0.3, {"kind": "html", "status": 502}),
    (0.15, {"kind": "timeout_before", "delay_ms": TIMEOUT_MS}),
    (0.8, {"kind": "status_after", "status": 500}),
    (0.6, {"kind": "status_after", "status": 502}),
    (0.6, {"kind": "status_after", "status": 504}),
    (1.0, {"kind": "reset_after"}),
    (0.8, {"kind": "truncated"}),
    (0.6, {"kind": "html_after", "status": 502}),
    (0.15, {"kind": "timeout_after", "delay_ms": TIMEOUT_MS}),
)
API = "^/(v1|api)/"  # not the token endpoint: a lost answer there ends the grant, and only a person can reconnect


def make_rules(share: float) -> list[JsonObject]:
    """Return rules that make `share` of the calls fail; the sandbox tries them one after another."""
    total, left, rules = sum(weight for weight, _ in MIX), 1.0, []
    for weight, fault in MIX:
        probability = share * weight / total
        # a rule is tried only for the calls that no earlier rule matched
        rules.append({"path": API, "probability": probability / left, **fault})
        left -= probability
    return rules


def start_faults(demo: DemoEnvironment, options: Options) -> None:
    """Let calls to both platforms fail from now on."""
    for number, platform in enumerate((demo.lever, demo.codescreen)):
        platform.set_faults(options.seed * 2 + number, make_rules(options.faults))


def stop_faults(demo: DemoEnvironment) -> None:
    """Let every call to both platforms succeed again."""
    for platform in (demo.lever, demo.codescreen):
        platform.set_faults(0, [])


class CandidateActions(threading.Thread):
    """Lets invited candidates start, submit and be evaluated while the faults go on."""

    def __init__(self, codescreen: SandboxClient, workload: Workload) -> None:
        super().__init__(name="candidate actions", daemon=True)
        self.acted: set[str] = set()  # the e-mail addresses of those who made a visit
        self._codescreen = codescreen
        self._waiting = [candidate for candidate in workload.candidates if candidate.visits]
        self._stopping = threading.Event()

    def run(self) -> None:
        """Try everybody's next visit again and again until stopped."""
        while not self._stopping.wait(1.0):
            self.make_visits(pause=0.02)

    def stop(self) -> None:
        """End the thread; `make_visits()` can still be called."""
        self._stopping.set()
        self.join(timeout=30)

    def make_visits(self, pause: float = 0.0) -> int:
        """Make the next visit of everybody who has been invited; return how many visits were made."""
        count = 0
        for candidate in list(self._waiting):
            if pause and self._stopping.wait(pause):
                break
            if make_visit(self._codescreen, candidate):
                self.acted.add(candidate.email)
                count += 1
                if not candidate.visits:
                    self._waiting.remove(candidate)
        return count


IDLE_CHECKS = 4
ROUNDS = 3


def settle(environment: DemoEnvironment, actions: CandidateActions, seconds: float) -> int:
    """Let the rows come to rest, sweep, and let the last candidates act; return how many rows still wait."""
    deadline = time.monotonic() + seconds

    def wait_until_idle() -> int:
        return quiesce.wait_until_idle(environment, max(1.0, deadline - time.monotonic()))

    wait_until_idle()
    quiesce.sweep()
    unfinished = wait_until_idle()
    for number in range(ROUNDS):
        visits = 0
        while count := actions.make_visits():
            visits += count
        if number and not visits:
            break
        unpolled = quiesce.poll(actions.acted, max(1.0, deadline - time.monotonic()))
        unfinished = wait_until_idle() + unpolled
    return unfinished


class FaultRun(Run):
    """One run with faults."""

    def run(self) -> Table:
        """Make the moves under faults, wait for rest and verify. Raises RunFailed."""
        self._workload = plan_workload(self._options)
        self._fault_injector = FaultInjector(self._processes, self._options)
        self._candidate_actions = CandidateActions(self._codescreen, self._workload)
        seed(self._lever, self._workload)
        self._move_under_faults()
        self._log("The faults are over; settling.")
        unfinished = settle(self._environment, self._candidate_actions, self._options.phase_seconds)
        return self._table(unfinished)

    def _move_under_faults(self) -> None:
        deadline = time.monotonic() + self._options.phase_seconds
        if self._options.faults:
            start_faults(self._environment, self._options)
        self._fault_injector.start()
        self._candidate_actions.start()
        try:
            LoadGenerator(self._environment, self._workload, self._options).make_moves(deadline)
            self._log(f"{self._workload.events} stage changes are made.")
            self._wait_for_the_workers(deadline)
        finally:
            self._fault_injector.stop()
            self._candidate_actions.stop()
            stop_faults(self._environment)

    def _wait_for_the_workers(self, deadline: float) -> None:
        """Go on until the workers have done what is due; what waits for a retry may still wait."""
        idle_checks = 0
        while idle_checks < IDLE_CHECKS and time.monotonic() < deadline:
            is_idle = not pending_deliveries(self._environment) and not quiesce.read_with_retry(
                quiesce.count_due
            )
            idle_checks = idle_checks + 1 if is_idle else 0
            time.sleep(quiesce.CHECK_EVERY)

    def _table(self, unfinished: int) -> Table:
        interruptions = self._fault_injector.interruptions
        moved = [candidate.opportunity for candidate in self._workload.candidates]
        kills = [one.at for one in interruptions if one.loses_answers]
        verification = verify(collect_evidence(self._environment, moved, kills))
        verification.record_rows_not_at_rest(unfinished)
        ends = self._fault_injector.term_seconds
        late = [f"{one:.1f} s" for one in ends if one > PROMISED_SECONDS]
        verification.record_violation(Violation.LATE_AFTER_TERM, *late)
        by_sweep = Delivery.objects.filter(event=DeliveryEvent.SWEEP, verdict__in=INVITING_VERDICTS)
        counts, options = verification.counts, self._options
        figures = {
            "candidates_invited": counts["candidates"],
            "e_mails": counts["emails"],
            **verification.numbers_of(Violation.INVITED_TWICE, Violation.LOST),
            "uncertain": counts["uncertain"],
            "explained_by_a_fault": counts["explained_by_fault"],
            "explained_by_a_kill": counts["explained_by_kill"],
            "completed": counts["completed"],
            "feedback": counts["feedback"],
            "repaired_by_the_sweep": by_sweep.count(),
            "interruptions": dict(Counter(one.what for one in interruptions)),
            "longest_end_after_TERM_seconds": max(ends, default=0.0),
        }
        where = ("PostgreSQL" if options.database_url else "SQLite") + (
            " + Redis" if options.redis_url else ""
        )
        title = (
            f"Chaos on {where}: {self._workload.events} events, {options.faults:.0%} faults, an interruption every "
            f"{options.kill_every:g} s, seed {options.seed}"
        )
        return Table(title, figures, verification.broken)
