"""Steady invitations for hours, from the stage to the archive: whether anything of a node keeps growing."""

import random
import time
from collections import deque

from integrations.core.invitation_status import InvitationStatus
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models import Effect
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.load_generator import Candidate, make_visit
from portal.devtools.chaos.processes import SERVE
from portal.devtools.chaos.run import Run, Table, Verification, Violation
from portal.devtools.chaos.soak_figures import BOUNDS, DATABASE, Growth, Sample, take_sample
from portal.devtools.chaos.verification import collect_evidence, verify
from portal.devtools.processes import RunFailed, members, wait_for_url

TICK_SECONDS = 1.0
SAMPLE_SECONDS = 60.0
LEAST_SAMPLES = 12  # of a run of minutes
#: Seconds after the move to the stage, or after CodeScreen's e-mail where that comes later.
VISITS_AFTER, ARCHIVED_AFTER = (30.0, 60.0), 300.0
REST_SECONDS = 60.0
LARGEST = 8  # tables


class SoakRun(Run):
    """One run; nothing goes wrong in it, so that no invitation has a reason to be uncertain."""

    def _prepare(self) -> None:
        self._random = random.Random(self._options.seed)  # noqa: S311
        self._seconds = self._options.soak * 3600
        self._growth = Growth()
        self._moved: dict[str, list[Candidate]] = {
            slug: [] for slug in tenants.slugs(self._options.customers)
        }
        self._visitors: deque[tuple[float, Candidate]] = deque()
        self._leavers: deque[tuple[float, Candidate]] = deque()

    def run(self) -> Table:
        """Invite for the time that was asked, let everything come to rest, and verify. Raises RunFailed."""
        self._processes.stop_portal()
        self._processes.start_serve()
        wait_for_url(f"{self._environment.portal_url}/healthz/live")
        waiting = self._make_candidates()
        time.sleep(self._rest_seconds)
        self._began = time.monotonic()
        self._take_sample(0)
        self._invite(waiting)
        self._log("The time is up; everybody goes on to the archive.")
        unfinished = self._settle()
        time.sleep(self._rest_seconds)
        return self._table(unfinished)

    @property
    def _sample_seconds(self) -> float:
        return min(SAMPLE_SECONDS, self._seconds / LEAST_SAMPLES)

    @property
    def _rest_seconds(self) -> float:
        return min(REST_SECONDS, self._sample_seconds)

    def _make_candidates(self) -> deque[Candidate]:
        """Create everybody in Lever, in a stage that invites nobody; return them in the order of their moves."""
        each = int(self._seconds * self._options.rate / len(self._moved)) + 1
        ids = {slug: iter(tenants.create_candidates(self._lever, slug, each)) for slug in self._moved}
        candidates: deque[Candidate] = deque()
        for number in range(1, each + 1):
            for slug in self._moved:
                visits = [("start",), ("submit", "evaluate")]
                address = tenants.email(slug, number)
                score = self._random.randint(0, 100)
                candidates.append(
                    Candidate(slug, address, (tenants.TRIGGER,), visits, score, next(ids[slug]))
                )
        return candidates

    def _invite(self, waiting: deque[Candidate]) -> None:
        moved = 0
        sample_at = self._sample_seconds
        while (elapsed := time.monotonic() - self._began) < self._seconds:
            due = int(elapsed * self._options.rate) + 1 - moved
            self._move([waiting.popleft() for _ in range(min(due, len(waiting)))])
            moved += due
            self._go_on()
            if elapsed >= sample_at:
                sample_at += self._sample_seconds
                self._take_sample(moved)
            spent = time.monotonic() - self._began - elapsed
            time.sleep(max(0.0, TICK_SECONDS - spent))

    def _move(self, candidates: list[Candidate]) -> None:
        now = time.monotonic()
        for candidate in candidates:
            tenants.move(self._lever, candidate.organization, [candidate.opportunity])
            self._moved[candidate.organization].append(candidate)
            self._visitors.append((now + VISITS_AFTER[0], candidate))

    def _go_on(self, is_last: bool = False) -> None:
        """Let everybody whose time has come visit CodeScreen or leave for the archive; at last everybody."""
        now = time.monotonic()
        for _ in range(len(self._visitors)):
            at, candidate = self._visitors.popleft()
            if at > now and not is_last:
                self._visitors.append((at, candidate))
            elif not make_visit(self._codescreen, candidate):
                self._visitors.append((now + VISITS_AFTER[0], candidate))
            elif candidate.visits:
                self._visitors.append((now + VISITS_AFTER[1] - VISITS_AFTER[0], candidate))
            else:
                self._leavers.append((now + ARCHIVED_AFTER - VISITS_AFTER[1], candidate))
        while self._leavers and (self._leavers[0][0] <= now or is_last):
            _, candidate = self._leavers.popleft()
            self._lever.act(
                "archive", account=candidate.organization, opportunity=candidate.opportunity, reason="Hired"
            )

    def _settle(self) -> int:
        """Let those who are under way end their journeys; return how many rows still wait."""
        unfinished = quiesce.wait_until_idle(
            self._environment, self._options.phase_seconds, skips_backoff=False
        )
        open_ones = [candidate.email for _, candidate in (*self._visitors, *self._leavers)]
        deadline = time.monotonic() + self._options.phase_seconds
        while self._visitors and time.monotonic() < deadline:
            for _ in range(len(self._visitors)):
                _, candidate = self._visitors.popleft()
                if not make_visit(self._codescreen, candidate) or candidate.visits:
                    self._visitors.append((0.0, candidate))
        unfinished += quiesce.poll(open_ones, self._options.phase_seconds)
        unfinished += quiesce.wait_until_idle(
            self._environment, self._options.phase_seconds, skips_backoff=False
        )
        self._go_on(is_last=True)
        return unfinished + quiesce.wait_until_idle(
            self._environment, self._options.phase_seconds, skips_backoff=False
        )

    def _take_sample(self, invitations: int) -> Sample:
        group = self._processes.group(SERVE)
        root = next((pid for pid in members(group) if pid != group), None) if group else None
        if root is None:
            raise RunFailed("serve has ended")
        sample = take_sample(root, self._began, invitations)
        self._growth.samples.append(sample)
        self._log(sample.as_text())
        return sample

    def _table(self, unfinished: int) -> Table:
        growth = self._growth
        count = sum(map(len, self._moved.values()))
        courses = {name: growth.course(name) for name in (*BOUNDS, DATABASE)}
        growing = growth.unbounded()
        growth_in_words = "without a bound" if growing else "bounded"
        if growing is None:
            growth_in_words = "too short to tell"
        rest = self._take_sample(count)
        repaired = quiesce.sweep_all()
        verification = Verification()
        for slug, candidates in self._moved.items():
            moved = [candidate.opportunity for candidate in candidates]
            verification.merge(verify(collect_evidence(self._environment, slug, moved)))
        verification.record_rows_not_at_rest(unfinished)
        verification.record_violation(Violation.GROWS, *(growing or []))
        if repaired:
            verification.record_violation(Violation.SWEEP_INCOMPLETE, f"repaired {repaired} that had come")
        mib_for_1000 = 1000 * (rest.figures[DATABASE] - growth.samples[0].figures[DATABASE]) / count
        figures = {
            "invitations": count,
            "e_mails": verification.counts["emails"],
            "feedback": verification.counts["feedback"],
            **verification.numbers_of(
                Violation.INVITED_TWICE, Violation.LOST, Violation.FEEDBACK_TWICE, Violation.TAGS_WRONG
            ),
            "uncertain": Invitation.objects.filter(status=InvitationStatus.UNCERTAIN).count(),
            "effects_failed": Effect.objects.filter(state=Effect.State.FAILED).count(),
            **courses,
            "growth": growth_in_words,
            "at_rest": {name: f"{value:.0f}" for name, value in rest.figures.items()},
            "database_mib_for_1000_candidates": mib_for_1000,
            "largest_tables": {
                one.name: f"{one.bytes / 1e6:.1f} + {one.index_bytes / 1e6:.1f} MB, {one.rows:,} rows, "
                f"{one.dead_rows:,} dead;"
                for one in rest.tables[:LARGEST]
            },
        }
        where = "PostgreSQL" if self._options.database_url else "SQLite"
        if self._options.redis_url:
            where += " + Redis"
        title = (
            f"{self._options.soak:g} hours on {where} at {self._options.rate:g} invitations a second "
            f"of {len(self._moved)} organization(s)"
        )
        return Table(title, figures, verification.broken)
