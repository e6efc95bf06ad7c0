"""Moves while the portal is down, whose candidates the sweep has to find, and moves while it is restarted."""

import os
import random
import signal
import subprocess
import sys
import time

from django.conf import settings

from integrations.core.finding_code import FindingCode
from integrations.core.invitation_status import InvitationStatus
from integrations.core.vocabulary import DeliveryEvent
from integrations.health import doctor
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.load_generator import pending_deliveries
from portal.devtools.chaos.run import Run, Table, Verification, Violation
from portal.devtools.chaos.verification import collect_evidence, count_calls, verify
from portal.devtools.processes import HOST, RunFailed, descendants, processes, wait_for_url, wait_until


class OutageRun(Run):
    """One move during an outage."""

    def run(self) -> Table:
        """Move candidates, start the portal again, sweep, and verify. Raises RunFailed."""
        (slug,) = tenants.slugs(1)
        moved = tenants.create_candidates(self._lever, slug, self._options.outage)
        self._move_while_down(slug, moved)
        self._log("The portal is back; no webhook of the move reached it. Sweeping.")
        delivered = (
            Delivery.objects.filter(opportunity_id__in=moved).exclude(event=DeliveryEvent.SWEEP).count()
        )
        began = time.monotonic()
        repaired = quiesce.sweep_all()
        sweep_seconds = time.monotonic() - began
        unfinished = quiesce.wait_until_idle(
            self._environment, self._options.phase_seconds, skips_backoff=False
        )
        idle_seconds = time.monotonic() - began
        repaired_again = quiesce.sweep_all()
        evidence = collect_evidence(self._environment, slug, moved)
        verification = verify(evidence)
        verification.record_rows_not_at_rest(unfinished)
        findings = _sweep_findings()
        if (repaired, repaired_again, delivered, bool(findings)) != (len(moved), 0, 0, True):
            summary = f"delivered {delivered}, repaired {repaired}, then {repaired_again}"
            verification.record_violation(Violation.SWEEP_INCOMPLETE, summary)
        calls = count_calls(evidence.lever)
        figures = {
            "candidates": len(moved),
            "webhooks_that_got_through": delivered,
            "repaired_by_the_sweep": repaired,
            "repaired_by_a_second_sweep": repaired_again,
            "the_doctors_finding": findings[0] if findings else "none",
            **_candidate_figures(verification),
            "seconds_to_sweep": sweep_seconds,
            "seconds_until_all_is_done": idle_seconds,
            "lever_calls": calls.total(),
            "answered_429": calls[429],
        }
        return Table(f"Outage during a move of {len(moved)} candidates", figures, verification.broken)

    def _move_while_down(self, slug: str, moved: list[str]) -> None:
        self._processes.stop_portal()
        self._lever.act("settings", account=slug, webhook_retry_delays=[0.2, 0.5])
        tenants.move(self._lever, slug, moved)
        wait_until(
            lambda: not pending_deliveries(self._environment),
            self._options.phase_seconds,
            "Lever didn't give up its webhooks",
            every=0.5,
        )
        self._processes.start_portal()
        wait_for_url(f"{self._environment.portal_url}/healthz/live")


def _sweep_findings() -> list[str]:
    """Return what the doctor reports about the sweep."""
    findings = [item for organization in tenants.organizations() for item in doctor.findings(organization)]
    return [finding.message for finding in findings if finding.code == FindingCode.SWEEP_REPAIRED]


def _candidate_figures(verification: Verification) -> dict[str, object]:
    numbers = verification.numbers_of(Violation.INVITED_TWICE, Violation.LOST, Violation.TAGS_WRONG)
    return {"e_mails": verification.counts["emails"], **numbers}


GIVE_UP_SECONDS = 60.0


class Serve:
    """One `serve` at a time, on a port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **variables: str) -> None:
        """Start it, with these variables changed; return once the web server answers. Raises RunFailed."""
        argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=2,
            start_new_session=True,
            env={**os.environ, **variables},
        )
        wait_for_url(f"http://{HOST}:{self.port}/healthz/live")

    def terminate(self) -> float:
        """Send TERM and wait for the end; return the seconds it took. Raises RunFailed if anything is left running."""
        process = self._process
        if process is None:
            return 0.0
        everything = [process.pid, *descendants(process.pid)]
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(GIVE_UP_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise RunFailed("serve didn't end after TERM") from error
        self._process = None
        seconds = time.monotonic() - began
        if left := {one.pid for one in processes()}.intersection(everything):
            raise RunFailed(f"serve left {len(left)} processes running")
        return seconds

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


CODESCREEN_ANSWERS_AFTER = 1.5  # seconds, so that calls are in flight at every TERM
WORK_SECONDS = (3.0, 8.0)  # how long each `serve` works before its TERM
PROMISED_SECONDS = 30.0  # within which all of it ends after TERM
IN_FLIGHT_SECONDS = (
    CODESCREEN_ANSWERS_AFTER + 1.0
)  # a call that was begun before TERM has ended after so long


class RestartRun(Run):
    """One run of restarts; nothing else goes wrong, so that no invitation has a reason to be uncertain."""

    def _prepare(self) -> None:
        self._random = random.Random(self._options.seed)  # noqa: S311
        self._serve = Serve(self._environment.port)
        self._terms: list[float] = []  # when TERM was sent
        self._seconds: list[float] = []  # how long the end took
        (self._slug,) = tenants.slugs(1)

    def run(self) -> Table:
        """Move, restart, let everything come to rest, and verify. Raises RunFailed."""
        candidates = tenants.create_candidates(self._lever, self._slug, self._options.events)
        slow = {
            "kind": "delay",
            "method": "POST",
            "path": "/api/assessments$",
            "delay_ms": int(CODESCREEN_ANSWERS_AFTER * 1000),
        }
        self._codescreen.set_faults(self._options.seed, [slow])
        self._processes.stop_portal()
        try:
            self._restart_while_moving(candidates)
        finally:
            self._serve.kill()
        self._processes.start_portal()
        return self._table(candidates)

    def _restart_while_moving(self, candidates: list[str]) -> None:
        for number in range(self._options.restarts):
            self._serve.start()
            if number == 0:  # all at once, so that there is work to claim at every TERM
                tenants.move(self._lever, self._slug, candidates)
            time.sleep(self._random.uniform(*WORK_SECONDS))
            self._terms.append(time.time())
            self._seconds.append(self._serve.terminate())
            self._log(f"restart {number + 1}: ended {self._seconds[-1]:.1f} s after TERM")

    def _table(self, candidates: list[str]) -> Table:
        unfinished = quiesce.wait_until_idle(
            self._environment, self._options.phase_seconds, skips_backoff=False
        )
        swept = quiesce.sweep_all()
        unfinished += quiesce.wait_until_idle(
            self._environment, self._options.phase_seconds, skips_backoff=False
        )
        evidence = collect_evidence(self._environment, self._slug, candidates)
        verification = verify(evidence)
        verification.record_rows_not_at_rest(unfinished)
        late = [f"{seconds:.1f} s" for seconds in self._seconds if seconds > PROMISED_SECONDS]
        verification.record_violation(Violation.LATE_AFTER_TERM, *late)
        sent = [
            instance["sent_at"] / 1000
            for invitation in evidence.codescreen["invitations"]
            for instance in invitation["instances"]
        ]
        begun_after = self._count_begun_after_term(sent)
        if begun_after:
            verification.record_violation(Violation.BEGUN_AFTER_TERM, f"{begun_after} calls")
        figures = {
            "candidates": len(candidates),
            "restarts": len(self._terms),
            "longest_end_after_TERM_seconds": max(self._seconds, default=0.0),
            "invitations_sent_by_calls_begun_after_TERM": begun_after,
            "found_by_a_sweep_afterwards": swept,
            **_candidate_figures(verification),
            "uncertain": Invitation.objects.filter(status=InvitationStatus.UNCERTAIN).count(),
            "effects_failed": Effect.objects.filter(state=Effect.State.FAILED).count(),
        }
        title = f"{len(self._terms)} restarts while {len(candidates)} candidates moved"
        return Table(title, figures, verification.broken)

    def _count_begun_after_term(self, sent: list[float]) -> int:
        """Return how many invitations a `serve` sent that had been asked to stop before it began the call."""
        periods = list(zip(self._terms, self._seconds, strict=True))
        return sum(
            any(at + IN_FLIGHT_SECONDS < moment < at + took for at, took in periods) for moment in sent
        )
