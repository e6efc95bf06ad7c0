"""Two nodes behind nginx are upgraded one after the other, twice, and taken back, while candidates move."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import requests
from django.conf import settings
from django.db import connection
from django.utils import timezone

from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import Platform
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from portal.devtools import proxies
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.outage_run import Serve
from portal.devtools.chaos.run import Run, Table, Violation
from portal.devtools.chaos.verification import collect_evidence, verify
from portal.devtools.processes import HOST, RunFailed, free_port, wait_for_url, wait_until
from portal.devtools.sandbox.values import JsonObject

#: Moves in a second; each makes Lever send its webhook twice.
RATE = 2.0
#: Deliveries of the past, which the upgrade fills.
OLD_ROWS = 20_000
#: Seconds for which each state is worked in, once it is reached.
STAY = 5.0
ANSWERS = frozenset({200, 202, 503})
BASE, EXPAND, CONTRACT = "", "expand", "contract"
BEFORE_CONTRACT, BEFORE_EXPAND = "0004", "0001"


def _variables(release: str) -> dict[str, str]:
    """Return the variables that make a program that of a release; the present one is the base."""
    module = "portal.devtools.upgrade_rehearsal.settings" if release else "portal.settings"
    return {"DJANGO_SETTINGS_MODULE": module, "PORTAL_REHEARSED_RELEASE": release}


class UpgradeRun(Run):
    """One upgrade by two releases, and back."""

    def _prepare(self) -> None:
        if shutil.which("nginx") is None:
            raise RunFailed("there is no nginx (apt-get install nginx)")
        self._nodes = [Serve(free_port()), Serve(free_port())]
        (self._slug,) = tenants.slugs(1)
        self._phases: list[tuple[str, float, float]] = []
        self._moved: list[str] = []

    def run(self) -> Table:
        """Roll forward and back while candidates move, and verify. Raises RunFailed."""
        candidates = tenants.create_candidates(self._lever, self._slug, self._options.upgrade)
        self._lever.act("settings", account=self._slug, webhook_duplicates=1)
        self._make_old_rows()
        self._processes.stop_portal()
        with ExitStack() as stack:
            stack.enter_context(self._balancer())
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
        with self._phase("the release before"):
            pass
        with self._phase("roll, expand"):
            self._roll(EXPAND)
        with self._phase("roll, contract"):
            self._roll(CONTRACT)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(received_on) FROM integrations_delivery")
            filled = int(cursor.fetchone()[0])
        with self._phase("roll back"):
            self._roll(EXPAND)
        with self._phase("migrate back"):
            self._migrate(CONTRACT, BEFORE_CONTRACT)
        with self._phase("roll back to the first"):
            self._roll(BASE)
        with self._phase("migrate back to the first"):
            self._migrate(EXPAND, BEFORE_EXPAND)
        return filled

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        began = time.time()
        yield
        took = time.time() - began
        time.sleep(STAY)
        self._log(f"{name}: {took:.1f} s")
        self._phases.append((name, began * 1000, time.time() * 1000))

    def _roll(self, release: str) -> None:
        for node in self._nodes:
            node.terminate()
            self._start(node, release)

    def _start(self, node: Serve, release: str) -> None:
        node.start(**_variables(release))
        url = f"http://{HOST}:{node.port}/healthz/ready"
        wait_until(lambda: requests.get(url, timeout=10).ok, 60, f"{url} isn't ready")

    def _migrate(self, release: str, target: str) -> None:
        argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "migrate", "integrations", target]
        env = {**os.environ, **_variables(release)}
        if subprocess.run(
            argv, env=env, stdout=2, timeout=self._options.phase_seconds, check=False
        ).returncode:
            raise RunFailed(f"migrating back to {target} failed; see --log")

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
    def _balancer(self) -> Iterator[None]:
        argv = proxies.nginx(
            self._environment.folder, self._environment.port, [one.port for one in self._nodes]
        )
        nginx = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=2)
        try:
            wait_for_url(f"{self._environment.portal_url}/")
            yield
        finally:
            nginx.terminate()
            nginx.wait()

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
        wrong = [str(one["status"] or one["error"]) for one in attempts if one["status"] not in ANSWERS]
        verification.record_violation(Violation.WRONG_ANSWERS, *wrong)
        figures = {
            "moved": len(self._moved),
            **{name: _answers(attempts, began, ended) for name, began, ended in self._phases},
            "rows_filled": filled,
            "found_by_a_sweep_afterwards": swept,
            **verification.numbers_of(Violation.INVITED_TWICE, Violation.LOST, Violation.WRONG_ANSWERS),
            "uncertain": Invitation.objects.filter(status=InvitationStatus.UNCERTAIN).count(),
        }
        title = f"Two nodes, two releases forward and back, while {len(self._moved)} candidates moved"
        return Table(title, figures, verification.broken)


def _answers(attempts: list[JsonObject], began: float, ended: float) -> dict[str, int]:
    """Return how many webhooks of a phase got which answer, and how long the slowest took."""
    chosen = [one for one in attempts if began <= one["at"] < ended]
    counts = Counter(str(one["status"] or one["error"]) for one in chosen)
    return {
        **dict(sorted(counts.items())),
        "ms_at_most": max((one["duration_ms"] for one in chosen), default=0),
    }
