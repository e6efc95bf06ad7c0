"""A move while the portal is down and no webhook gets through: the sweep has to find the candidates."""

import time

from integrations.core.finding_code import FindingCode
from integrations.core.vocabulary import DeliveryEvent
from integrations.health import doctor
from integrations.inbox.models.delivery import Delivery
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.load_generator import pending_deliveries
from portal.devtools.chaos.run import Run, Table, Verification, Violation
from portal.devtools.chaos.verification import collect_evidence, count_calls, verify
from portal.devtools.waiting import wait_for_url, wait_until


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
    return {
        "e_mails": verification.counts["emails"],
        "invited_twice": verification.number_of(Violation.INVITED_TWICE),
        "lost": verification.number_of(Violation.LOST),
        "tags_wrong": verification.number_of(Violation.TAGS_WRONG),
    }
