"""The two runs at Lever's own rate, without faults: a bulk move, and a move while the portal is down."""

import time

from integrations.models import Delivery, Effect
from integrations.vocabulary import DeliveryEvent
from integrations.workflow.health import doctor
from integrations.workflow.health.findings import Finding
from portal.devtools.chaos import collect, quiesce, tenants
from portal.devtools.chaos.run import Run
from portal.devtools.chaos.table import Table
from portal.devtools.chaos.tenants import TRIGGER
from portal.devtools.chaos.verify import Judgement, judge
from portal.devtools.chaos.workload import pending
from portal.devtools.demo.provisioning import NotReady, control, wait_for

LEVER_RATE = 10.0
SINGLE_AFTER = 8.0  # seconds into the bulk move


class BulkMove(Run):
    """Many candidates of one customer at once, and one of another customer's while that runs."""

    def _prepare(self) -> None:
        self._many, self._single = tenants.slugs(2)

    def run(self) -> Table:
        """Move them and measure. Raises NotReady."""
        moved = tenants.generate(self._stage, self._many, self._options.bulk)
        single = tenants.generate(self._stage, self._single, 1)
        before = collect.calls(collect.books(self._stage.lever_url, self._many))
        began = time.time()
        control(self._stage.lever_url, "move", account=self._many, opportunities=moved, stage=TRIGGER)
        time.sleep(SINGLE_AFTER)
        self._say("The bulk move runs; moving one candidate of another organization.")
        singled_at = time.time()
        control(self._stage.lever_url, "move", account=self._single, opportunities=single, stage=TRIGGER)
        deadline = time.monotonic() + self._options.phase_seconds
        left = quiesce.rest(self._stage, deadline - time.monotonic(), is_hurried=False)
        found = collect.collect(self._stage, self._many, moved, [])
        judgement = judge(found)
        after = collect.calls(found.lever)
        other = collect.collect(self._stage, self._single, single, [])
        judgement.add(judge(other))
        ended = self._last_tag() - began
        calls = sum((after - before).values())
        sent = [one["sent_at"] / 1000 for one in _instances(found.codescreen)]
        alone = [one["sent_at"] / 1000 - singled_at for one in _instances(other.codescreen)]
        if left:
            judgement.broken["not_at_rest"] = [f"{left} rows"]
        rows = {
            "candidates": len(moved),
            "e_mails": len(sent),
            "invited_twice": len(judgement.broken.get("twice", [])),
            "lost": len(judgement.broken.get("lost", [])),
            "tags_wrong": len(judgement.broken.get("tags_wrong", [])),
            "lever_calls": calls,
            "lever_calls_per_candidate": calls / len(moved),
            "answered_429": (after - before)[429],
            "seconds_until_the_last_e_mail": max(sent, default=0.0) - began,
            "seconds_until_the_last_tag": ended,
            "time_over_calls_at_10_per_second": ended / max(0.1, calls / LEVER_RATE),
            "other_organization_move_to_e_mail_seconds": alone[0] if alone else "never",
        }
        return Table(f"Bulk move of {len(moved)} candidates", rows, judgement.broken)

    def _last_tag(self) -> float:
        done = Effect.objects.filter(organization__slug=self._many, done_at__isnull=False)
        last = done.order_by("-done_at").values_list("done_at", flat=True).first()
        return last.timestamp() if last else time.time()


class Outage(Run):
    """Candidates move while the portal is down and no webhook gets through; the sweep has to find them."""

    def run(self) -> Table:
        """Move them, come back, sweep, and count. Raises NotReady."""
        (slug,) = tenants.slugs(1)
        moved = tenants.generate(self._stage, slug, self._options.outage)
        self._programs.stop_portal()
        control(self._stage.lever_url, "settings", account=slug, webhook_retry_delays=[0.2, 0.5])
        control(self._stage.lever_url, "move", account=slug, opportunities=moved, stage=TRIGGER)
        self._wait_until_given_up()
        self._programs.start_portal()
        wait_for(f"{self._stage.portal_url}/healthz/live")
        self._say("The portal is back; nobody told it of the move. Sweeping.")
        heard = Delivery.objects.filter(opportunity_id__in=moved).exclude(event=DeliveryEvent.SWEEP).count()
        began = time.monotonic()
        repaired = quiesce.sweep()
        swept = time.monotonic() - began
        left = quiesce.rest(self._stage, self._options.phase_seconds, is_hurried=False)
        rested = time.monotonic() - began
        again = quiesce.sweep()
        found = collect.collect(self._stage, slug, moved, [])
        judgement: Judgement = judge(found)
        if left:
            judgement.broken["not_at_rest"] = [f"{left} rows"]
        said = [item.message for item in self._findings() if item.code == "sweep_repaired"]
        if (repaired, again, heard, bool(said)) != (len(moved), 0, 0, True):
            judgement.broken["sweep"] = [f"told of {heard}, repaired {repaired}, then {again}"]
        rows = {
            "candidates": len(moved),
            "webhooks_that_got_through": heard,
            "repaired_by_the_sweep": repaired,
            "repaired_by_a_second_sweep": again,
            "the_doctor_says": said[0] if said else "nothing",
            "e_mails": judgement.counts["emails"],
            "invited_twice": len(judgement.broken.get("twice", [])),
            "lost": len(judgement.broken.get("lost", [])),
            "tags_wrong": len(judgement.broken.get("tags_wrong", [])),
            "seconds_to_sweep": swept,
            "seconds_until_all_is_done": rested,
            "lever_calls": sum(collect.calls(found.lever).values()),
            "answered_429": collect.calls(found.lever)[429],
        }
        return Table(f"Outage during a move of {len(moved)} candidates", rows, judgement.broken)

    def _findings(self) -> list[Finding]:
        return [item for organization in tenants.organizations() for item in doctor.findings(organization)]

    def _wait_until_given_up(self) -> None:
        deadline = time.monotonic() + self._options.phase_seconds
        while pending(self._stage):
            if time.monotonic() > deadline:
                raise NotReady("Lever didn't give its webhooks up")
            time.sleep(0.5)


def _instances(codescreen: dict[str, list[dict[str, list[dict[str, float]]]]]) -> list[dict[str, float]]:
    return [one for entry in codescreen["invitations"] for one in entry["instances"]]
