"""Two nodes behind nginx are upgraded one after the other, twice, and taken back, while candidates move."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import connection
from django.utils import timezone

from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import Platform
from integrations.inbox.models.delivery import Delivery
from portal.devtools import proxies
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.run import Run, Table, Violation
from portal.devtools.chaos.serve import BASE, CONTRACT, EXPAND, Serve, migrate_back
from portal.devtools.chaos.verification import answer_to, collect_evidence, verify

#: Moves in a second; each makes Lever send its webhook twice.
RATE = 2.0
#: Deliveries of the past, which the upgrade fills.
OLD_ROWS = 20_000
#: Seconds for which each state is worked in, once it is reached.
STAY = 5.0


class UpgradeRun(Run):
    """One upgrade by two releases, and back."""

    def run(self) -> Table:
        """Roll forward and back while candidates move, and verify. Raises RunFailed."""
        self._nodes = [Serve(), Serve()]
        self._moved: list[str] = []
        candidates = tenants.create_candidates(self._lever, self._options.upgrade)
        self._lever.act("settings", account=tenants.SLUG, webhook_duplicates=1)
        _make_old_rows()
        self._processes.stop_portal()
        with ExitStack() as stack:
            addresses = [node.address for node in self._nodes]
            stack.enter_context(proxies.balancer(self._environment.folder, self._environment.port, addresses))
            for node in self._nodes:
                stack.callback(node.stop)
                node.start(BASE)
            with self._moving(candidates):
                filled = self._upgrade_and_go_back()
            seconds = self._options.phase_seconds
            unfinished = quiesce.wait_until_idle(self._environment, seconds, skips_backoff=False)
            swept = quiesce.sweep()
        return self._table(unfinished, swept, filled)

    def _upgrade_and_go_back(self) -> int:
        """Return how many rows had the new column's value when every row had to have it."""
        time.sleep(STAY)
        self._roll(EXPAND)
        self._roll(CONTRACT)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(received_on) FROM integrations_delivery")
            filled = int(cursor.fetchone()[0])
        for release, target in ((CONTRACT, EXPAND), (EXPAND, BASE)):
            self._roll(target)
            migrate_back(release, target, self._options.phase_seconds)
            self._log("The tables are those of the release before.")
            time.sleep(STAY)
        return filled

    def _roll(self, release: str) -> None:
        for node in self._nodes:
            node.stop()
            node.start(release)
        self._log(f"Both nodes run {release or 'the first release'}.")
        time.sleep(STAY)

    @contextmanager
    def _moving(self, candidates: list[str]) -> Iterator[None]:
        """Move one candidate after the other, until the block ends or none is left."""
        ended = threading.Event()

        def move() -> None:
            for candidate in candidates:
                if ended.wait(1 / RATE):
                    return
                tenants.move(self._lever, [candidate])
                self._moved.append(candidate)

        mover = threading.Thread(target=move, name="mover", daemon=True)
        mover.start()
        try:
            yield
        finally:
            ended.set()
            mover.join()

    def _table(self, unfinished: int, swept: int, filled: int) -> Table:
        evidence = collect_evidence(self._environment, self._moved)
        verification = verify(evidence)
        verification.record_rows_not_at_rest(unfinished)
        attempts = [one for delivery in evidence.lever["deliveries"] for one in delivery["attempts"]]
        # that a webhook's sender waits or finds nobody is wrong, too: a node is always there
        wrong = [answer_to(one) for one in attempts if one["status"] is None]
        verification.record_violation(Violation.WRONG_ANSWERS, *wrong)
        figures = {
            "moved": len(self._moved),
            "answers": dict(Counter(map(answer_to, attempts))),
            "slowest_answer_ms": max((one["duration_ms"] for one in attempts), default=0),
            "rows_filled": filled,
            "found_by_a_sweep_afterwards": swept,
            **verification.numbers_of(Violation.INVITED_TWICE, Violation.LOST, Violation.WRONG_ANSWERS),
            "uncertain": verification.counts["uncertain"],
        }
        title = f"Two nodes, two releases forward and back, while {len(self._moved)} candidates moved"
        return Table(title, figures, verification.broken)


def _make_old_rows() -> None:
    organization = tenants.organization()
    Delivery.objects.bulk_create(
        [
            Delivery(
                organization=organization,
                platform=Platform.LEVER,
                event="candidateStageChange",
                dedupe_key=f"old-{number}",
                payload={},
                due_at=None,
                verdict=VerdictCode.IGNORED_EVENT,
                decided_at=timezone.now(),
            )
            for number in range(OLD_ROWS)
        ],
        batch_size=1000,
    )
