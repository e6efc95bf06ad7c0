"""Two web nodes and two of workers, each on a machine of its own, while everything that can happen to them happens."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from django.db import connections

from integrations.core.invitation_status import InvitationStatus
from integrations.outbox.models import Effect
from portal.devtools import proxies
from portal.devtools.chaos import releases, tenants
from portal.devtools.chaos.environment import Interrupted, Interruption
from portal.devtools.chaos.fault_run import CandidateActions, candidate_figures, settle
from portal.devtools.chaos.load_generator import plan_workload, seed
from portal.devtools.chaos.machines.installation import Installation
from portal.devtools.chaos.machines.nodes import Node
from portal.devtools.chaos.phases import UNANSWERED, Phase, Phases, count_unanswered, wrong_answers
from portal.devtools.chaos.processes import Processes
from portal.devtools.chaos.releases import BASE, CONTRACT, EXPAND
from portal.devtools.chaos.run import Options, Run, Table, Verification, Violation
from portal.devtools.chaos.verification import collect_evidence, count_invited_by_sweep, verify
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox.values import JsonObject

#: Stage changes in a second, of all organizations together; fewer where they would end before the last step.
RATE, LEAST_SECONDS = 5.0, 600.0
#: Seconds after which Lever sends a webhook again that wasn't accepted.
RETRIES = [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0]
#: Milliseconds that CodeScreen takes to answer, so that calls are under way at every moment.
CODESCREEN_ANSWERS_AFTER = 400
#: Seconds of work after each step before the next one.
STAY = 12.0
#: Seconds for which each thing is away.
WEB_KILLED, WORKERS_KILLED, WEB_FROZEN, WORKERS_FROZEN, WEB_UNPLUGGED = 6.0, 10.0, 15.0, 35.0, 15.0
REDIS_CUT, DATABASE_CUT, UNTIL_PROMOTED = 30.0, 10.0, 5.0


class MachinesRun(Run):
    """One run on several machines."""

    def __init__(
        self,
        installation: Installation,
        environment: DemoEnvironment,
        processes: Processes,
        options: Options,
        log: Callable[[str], object],
    ) -> None:
        self._installation = installation
        super().__init__(environment, processes, options, log)

    def _prepare(self) -> None:
        options = replace(self._options, events=self._options.machines, organizations=self._options.customers)
        self._workload = plan_workload(options)
        self._actions = CandidateActions(self._codescreen, self._workload)
        self._phases = Phases(self._log)
        self._interruptions: list[Interruption] = []
        self._moves = 0

    def run(self) -> Table:
        """Make the moves while nodes, servers and releases come and go, and verify. Raises RunFailed."""
        installation = self._installation
        self._seed()
        self._processes.stop_portal()
        with ExitStack() as stack:
            for node in installation.nodes:
                node.start()
                self._log(f"{node.machine.name} is ready.")
            addresses = [node.address for node in installation.web]
            stack.enter_context(proxies.balancer(self._environment.folder, self._environment.port, addresses))
            with self._moving():
                self._break(installation)
                self._upgrade_and_go_back(installation)
                self._log(
                    f"{self._moves} of {self._workload.events} stage changes are made; the rest follow."
                )
            unfinished = settle(self._environment, self._actions, self._options.phase_seconds)
            self._log("Settled; counting.")
            ends = [node.terminate() for node in installation.nodes]
        return self._table(unfinished, max(ends))

    def _seed(self) -> None:
        seed(self._lever, self._workload)
        for slug in tenants.slugs(self._options.customers):
            self._lever.act(
                "settings",
                account=slug,
                webhook_loss=0.0,
                webhook_duplicates=1,
                webhook_retry_delays=RETRIES,
            )
        slow = {
            "kind": "delay",
            "method": "POST",
            "path": "/api/assessments$",
            "delay_ms": CODESCREEN_ANSWERS_AFTER,
        }
        self._codescreen.set_faults(self._options.seed, [slow])

    def _break(self, installation: Installation) -> None:
        web, workers = installation.web, installation.workers
        databases = installation.databases
        with self._phase("nothing happens"):
            pass
        with self._phase("web-1 killed, 6 s"):
            self._kill(web[0], WEB_KILLED)
        with self._phase("web-2 frozen, 15 s"):
            self._away(web[1].machine.freeze, web[1].machine.thaw, WEB_FROZEN)
        with self._phase("web-1 unplugged, 15 s"):
            self._away(web[0].machine.unplug, web[0].machine.plug_in, WEB_UNPLUGGED)
        with self._phase("workers-1 killed, 10 s"):
            self._loses_answers()
            self._kill(workers[0], WORKERS_KILLED)
        with self._phase("workers-2 frozen, 35 s"):
            self._loses_answers()
            self._away(workers[1].machine.freeze, workers[1].machine.thaw, WORKERS_FROZEN)
        with self._phase("Redis cut off, 30 s"):
            self._away(installation.redis.unplug, installation.redis.plug_in, REDIS_CUT)
        with self._phase("PostgreSQL cut off, 10 s"):
            self._loses_answers()
            primary = databases.primary.machine
            self._away(primary.unplug, primary.plug_in, DATABASE_CUT)
        with self._phase("PostgreSQL fails over"):
            self._loses_answers()
            databases.lose_primary()
            time.sleep(UNTIL_PROMOTED)
            databases.promote()
            connections.close_all()
        with self._phase("the lost server is the standby"):
            databases.rejoin()

    def _kill(self, node: Node, seconds: float) -> None:
        self._away(node.machine.kill, node.start, seconds)

    @staticmethod
    def _away(begin: Callable[[], object], end: Callable[[], object], seconds: float) -> None:
        begin()
        time.sleep(seconds)
        end()

    def _loses_answers(self) -> None:
        """Note that calls which are under way now may end without anybody who records their answer."""
        self._interruptions.append(Interruption(Interrupted.WORKERS, time.time()))

    def _upgrade_and_go_back(self, installation: Installation) -> None:
        seconds = self._options.phase_seconds
        with self._phase("all rolled, expand"):
            self._roll(installation, EXPAND)
        with self._phase("all rolled, contract"):
            self._roll(installation, CONTRACT)
        with self._phase("all rolled back"):
            self._roll(installation, EXPAND)
        with self._phase("migrated back"):
            releases.migrate_back(CONTRACT, EXPAND, seconds)
        with self._phase("all rolled back to the first"):
            self._roll(installation, BASE)
        with self._phase("migrated back to the first"):
            releases.migrate_back(EXPAND, BASE, seconds)

    @staticmethod
    def _roll(installation: Installation, release: str) -> None:
        for node in installation.nodes:
            node.terminate()
            node.start(release)

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        with self._phases.phase(name, STAY):
            yield

    @contextmanager
    def _moving(self) -> Iterator[None]:
        """Make the stage changes one after the other; the block's end waits for the last one."""
        mover = threading.Thread(target=self._move, name="mover", daemon=True)
        self._actions.start()
        mover.start()
        try:
            yield
            mover.join()
        finally:
            self._actions.stop()

    def _move(self) -> None:
        rate = min(RATE, self._workload.events / LEAST_SECONDS)
        began = time.monotonic()
        for candidate, stage in self._workload.moves:
            tenants.move(self._lever, candidate.organization, [candidate.opportunity], stage)
            self._moves += 1
            time.sleep(max(0.0, began + self._moves / rate - time.monotonic()))

    def _table(self, unfinished: int, longest_end: float) -> Table:
        verification = Verification()
        attempts: list[JsonObject] = []
        sent: list[float] = []
        for slug in tenants.slugs(self._options.customers):
            moved = {one.opportunity for one in self._workload.candidates if one.organization == slug}
            evidence = collect_evidence(self._environment, slug, moved, self._interruptions)
            verification.merge(verify(evidence))
            attempts += [one for delivery in evidence.lever["deliveries"] for one in delivery["attempts"]]
            invitations = evidence.codescreen["invitations"]
            sent += [one["sent_at"] / 1000 for each in invitations for one in each["instances"]]
        verification.record_rows_not_at_rest(unfinished)
        # a node that is frozen or hangs answers late; then the sender asks again
        wrong = [one for one in wrong_answers(attempts) if one != UNANSWERED]
        verification.record_violation(Violation.WRONG_ANSWERS, *wrong)
        uncertain = _uncertain_since()
        figures = {
            "stage_changes": self._workload.events,
            **{phase.name: _figures(phase, attempts, sent, uncertain) for phase in self._phases},
            **candidate_figures(verification),
            **verification.numbers_of(Violation.WRONG_ANSWERS),
            "unanswered_in_5_seconds": count_unanswered(attempts),
            "found_by_a_sweep": count_invited_by_sweep(),
            "effects_failed": Effect.objects.filter(state=Effect.State.FAILED).count(),
            "longest_end_after_TERM_seconds": longest_end,
        }
        title = (
            f"Two web nodes and two of workers on machines of their own: {self._workload.events} stage changes "
            f"of {self._options.customers} organizations"
        )
        return Table(title, figures, verification.broken)


def _uncertain_since() -> list[float]:
    """Return when each call began whose invitation is uncertain."""
    effects = Effect.objects.filter(
        kind=Effect.Kind.SEND_INVITATION,
        invitation__status=InvitationStatus.UNCERTAIN,
        attempt_started_at__isnull=False,
    )
    return [at.timestamp() for at in effects.values_list("attempt_started_at", flat=True) if at is not None]


def _figures(
    phase: Phase, attempts: list[JsonObject], sent: list[float], uncertain: list[float]
) -> dict[str, object]:
    return {
        "seconds": round(phase.ended - phase.began),
        **phase.answers(attempts),
        "invitations": sum(map(phase.includes, sent)),
        "longest_pause": round(phase.longest_pause(sent), 1),
        "uncertain": sum(map(phase.includes, uncertain)),
    }
