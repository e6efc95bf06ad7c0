"""Two nodes behind nginx are upgraded one after the other, twice, and taken back, while candidates move."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import requests
from django.db import connection
from django.utils import timezone

from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import Platform
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from portal.devtools import proxies
from portal.devtools.chaos import quiesce, releases, tenants
from portal.devtools.chaos.phases import Phases, wrong_answers
from portal.devtools.chaos.releases import BASE, CONTRACT, EXPAND
from portal.devtools.chaos.run import Run, Table, Violation
from portal.devtools.chaos.serve import Serve
from portal.devtools.chaos.verification import collect_evidence, verify
from portal.devtools.processes import HOST, free_port, wait_until

#: Moves in a second; each makes Lever send its webhook twice.
RATE = 2.0
#: Deliveries of the past, which the upgrade fills.
OLD_ROWS = 20_000
#: Seconds for which each state is worked in, once it is reached.
STAY = 5.0


class UpgradeRun(Run):
    """One upgrade by two releases, and back."""

    def _prepare(self) -> None:
        self._nodes = [Serve(free_port()), Serve(free_port())]
        (self._slug,) = tenants.slugs(1)
        self._phases = Phases(self._log)
        self._moved: list[str] = []

    def run(self) -> Table:
        """Roll forward and back while candidates move, and verify. Raises RunFailed."""
        candidates = tenants.create_candidates(self._lever, self._slug, self._options.upgrade)
        self._lever.act("settings", account=self._slug, webhook_duplicates=1)
        self._make_old_rows()
        self._processes.stop_portal()
        with ExitStack() as stack:
            addresses = [f"{HOST}:{one.port}" for one in self._nodes]
            stack.enter_context(proxies.balancer(self._environment.folder, self._environment.port, addresses))
            for node in self._nodes:
                stack.callback(node.kill)
                self._start(node, BASE)
            with self._moving(candidates):
                filled = self._upgrade_and_go_back()
            unfinished = quiesce.wait_until_idle(
                self._environment, self._options.phase_seconds, skips_backoff=False
            )
            swept = quiesce.sweep_all()
        return self._table(unfinished, swept, filled)

    def _upgrade_and_go_back(self) -> int:
        """Return how many rows had the new column's value when every row had to have it."""
        phase = partial(self._phases.phase, stay=STAY)
        with phase("the release before"):
            pass
        with phase("roll, expand"):
            self._roll(EXPAND)
        with phase("roll, contract"):
            self._roll(CONTRACT)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(received_on) FROM integrations_delivery")
            filled = int(cursor.fetchone()[0])
        with phase("roll back"):
            self._roll(EXPAND)
        with phase("migrate back"):
            releases.migrate_back(CONTRACT, EXPAND, self._options.phase_seconds)
        with phase("roll back to the first"):
            self._roll(BASE)
        with phase("migrate back to the first"):
            releases.migrate_back(EXPAND, BASE, self._options.phase_seconds)
        return filled

    def _roll(self, release: str) -> None:
        for node in self._nodes:
            node.terminate()
            self._start(node, release)

    def _start(self, node: Serve, release: str) -> None:
        node.start(**releases.variables(release))
        url = f"http://{HOST}:{node.port}/healthz/ready"
        wait_until(lambda: requests.get(url, timeout=10).ok, 60, f"{url} isn't ready")

    def _make_old_rows(self) -> None:
        (organization,) = tenants.organizations()
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

    @contextmanager
    def _moving(self, candidates: list[str]) -> Iterator[None]:
        """Move one candidate after the other, until the block ends or none is left."""
        ended = threading.Event()

        def move() -> None:
            for candidate in candidates:
                if ended.wait(1 / RATE):
                    return
                tenants.move(self._lever, self._slug, [candidate])
                self._moved.append(candidate)

        mover = threading.Thread(target=move, name="mover", daemon=True)
        mover.start()
        try:
            yield
        finally:
            ended.set()
            mover.join()

    def _table(self, unfinished: int, swept: int, filled: int) -> Table:
        evidence = collect_evidence(self._environment, self._slug, self._moved)
        verification = verify(evidence)
        verification.record_rows_not_at_rest(unfinished)
        attempts = [one for delivery in evidence.lever["deliveries"] for one in delivery["attempts"]]
        verification.record_violation(Violation.WRONG_ANSWERS, *wrong_answers(attempts))
        figures = {
            "moved": len(self._moved),
            **{phase.name: phase.answers(attempts) for phase in self._phases},
            "rows_filled": filled,
            "found_by_a_sweep_afterwards": swept,
            **verification.numbers_of(Violation.INVITED_TWICE, Violation.LOST, Violation.WRONG_ANSWERS),
            "uncertain": Invitation.objects.filter(status=InvitationStatus.UNCERTAIN).count(),
        }
        title = f"Two nodes, two releases forward and back, while {len(self._moved)} candidates moved"
        return Table(title, figures, verification.broken)
