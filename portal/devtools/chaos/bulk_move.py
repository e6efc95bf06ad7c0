"""A bulk move at Lever's own rate, and one candidate of another organization in the midst of it, measured."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from integrations.models import Effect
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.run import Verification
from portal.devtools.chaos.verification import collect_evidence, count_calls, verify
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.sandbox.values import JsonObject

#: Calls that Lever allows an account: each second, and at once after a rest.
LEVER_RATE, LEVER_BURST = 10.0, 20
SECOND_MOVE_AFTER = 8.0  # seconds into the bulk move
BULK, OTHER = tenants.slugs(2)


@dataclass(frozen=True)
class BulkMove:
    """What a bulk move took; times are in seconds since the move in Lever."""

    candidates: int
    emails: int
    lever_calls: int
    answered_429: int
    last_email: float
    last_tag: float
    #: From the other organization's move to its candidate's e-mail; None when none was sent.
    other_email: float | None
    verification: Verification

    @property
    def calls_per_candidate(self) -> float:
        """The calls to Lever for each candidate."""
        return self.lever_calls / self.candidates

    @property
    def least_seconds(self) -> float:
        """How long the calls that were made take at the rate that Lever allows."""
        return max(0.1, (self.lever_calls - LEVER_BURST) / LEVER_RATE)

    @property
    def time_over_bound(self) -> float:
        """The time until the last tag as a multiple of the least."""
        return self.last_tag / self.least_seconds


def move_in_bulk(
    environment: DemoEnvironment, count: int, seconds: float, log: Callable[[str], object]
) -> BulkMove:
    """Move so many candidates of one organization at once, another's meanwhile, and wait until nothing is to do.

    Both organizations are connected. What isn't done after so many seconds counts as broken promises. Raises RunFailed.
    """
    lever = environment.lever
    moved = tenants.create_candidates(lever, BULK, count)
    other_moved = tenants.create_candidates(lever, OTHER, 1)
    calls_before = count_calls(lever.ledger(BULK))
    began = time.time()
    tenants.move(lever, BULK, moved)
    time.sleep(SECOND_MOVE_AFTER)
    log("The bulk move runs; moving one candidate of another organization.")
    other_began = time.time()
    tenants.move(lever, OTHER, other_moved)
    unfinished = quiesce.wait_until_idle(environment, began + seconds - time.time(), skips_backoff=False)
    evidence = collect_evidence(environment, BULK, moved)
    other_evidence = collect_evidence(environment, OTHER, other_moved)
    verification = verify(evidence)
    verification.merge(verify(other_evidence))
    verification.record_rows_not_at_rest(unfinished)
    calls = count_calls(evidence.lever) - calls_before
    sent, other_sent = _sent_times(evidence.codescreen), _sent_times(other_evidence.codescreen)
    return BulkMove(
        candidates=len(moved),
        emails=len(sent),
        lever_calls=calls.total(),
        answered_429=calls[429],
        last_email=max(sent, default=began) - began,
        last_tag=_last_effect_time() - began,
        other_email=other_sent[0] - other_began if other_sent else None,
        verification=verification,
    )


def _last_effect_time() -> float:
    """Return when the last effect of the bulk move was done, now if none was."""
    done = Effect.objects.filter(organization__slug=BULK, done_at__isnull=False)
    last: datetime | None = done.order_by("-done_at").values_list("done_at", flat=True).first()
    return last.timestamp() if last else time.time()


def _sent_times(codescreen: JsonObject) -> list[float]:
    """Return when CodeScreen sent each invitation, in seconds."""
    return [
        instance["sent_at"] / 1000
        for invitation in codescreen["invitations"]
        for instance in invitation["instances"]
    ]
