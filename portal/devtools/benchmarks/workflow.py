"""Invitations a second through the whole portal, from the webhook to the tag, beside bare loops of the same run."""

import statistics
import time
import uuid
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial

import requests
from django.db import connection, connections, transaction
from django.utils import timezone

from integrations.clients.models import ApiCall
from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from portal.devtools.benchmarks import customers
from portal.devtools.benchmarks.benchmark import (
    WITHOUT_LIMITS,
    Benchmark,
    Report,
    Setup,
    Spread,
    Table,
    ratios,
)
from portal.devtools.benchmarks.customers import PretendPlatforms, connected_organizations, node_at_work
from portal.devtools.processes import cpu_seconds, run_in_threads, wait_until

THREADS = 8


def call_rate(platforms: PretendPlatforms, count: int) -> float:
    """Make the three calls of so many invitations; return the invitations a second."""

    def work(share: int) -> None:
        with requests.Session() as session:
            for _ in range(share):
                opportunity_id = uuid.uuid4()
                opportunity = f"{platforms.lever}/v1/opportunities/{opportunity_id}"
                person = session.get(opportunity, timeout=30).json()["data"]
                invited = {
                    "assessmentId": "assessment-0",
                    "firstName": person["name"],
                    "email": person["emails"][0],
                }
                session.post(f"{platforms.codescreen}/api/assessments", json=invited, timeout=30).json()
                tags = {"tags": ["CodeScreen: Candidate Invited"]}
                session.post(f"{opportunity}/addTags", json=tags, timeout=30).json()

    return _rate(count, work)


def row_rate(organization: Organization, count: int) -> float:
    """Write the rows of so many invitations in the transactions that the promises need; return invitations a second.

    Those are: the delivery; the verdict with what follows; the intent; the answer; the tag.
    """

    def work(share: int) -> None:
        for _ in range(share):
            _write_rows(organization, str(uuid.uuid4()))
        connections.close_all()

    return _rate(count, work)


def _rate(count: int, work: Callable[[int], None]) -> float:
    began = time.monotonic()
    share = count // THREADS
    run_in_threads([partial(work, share)] * THREADS)
    return share * THREADS / (time.monotonic() - began)


def _write_rows(organization: Organization, opportunity_id: str) -> None:
    now = timezone.now()
    delivery = Delivery.objects.create(
        organization=organization,
        platform=Delivery.Platform.LEVER,
        event="candidateStageChange",
        dedupe_key=f"bare:{opportunity_id}",
        opportunity_id=opportunity_id,
        payload={"data": {"opportunityId": opportunity_id}},
        due_at=None,
    )
    with transaction.atomic():
        invitation = Invitation.objects.create(
            organization=organization,
            opportunity_id=opportunity_id,
            assessment_id="assessment-0",
            email=f"{opportunity_id}@example.com",
            changed_at=now,
        )
        sending, tag = (
            Effect.objects.create(
                organization=organization,
                kind=kind,
                key=f"bare:{kind}:{opportunity_id}",
                opportunity_id=opportunity_id,
                invitation=invitation,
                state=Effect.State.DONE,
                due_at=None,
                done_at=now,
            )
            for kind in (Effect.Kind.SEND_INVITATION, Effect.Kind.SET_PROGRESS_TAG)
        )
        Delivery.objects.filter(pk=delivery.pk).update(
            verdict=VerdictCode.INVITE, decided_at=now, invitation=invitation
        )
    Effect.objects.filter(pk=sending.pk).update(attempt_started_at=now)
    for effect in (sending, tag):
        with transaction.atomic():
            Effect.objects.filter(pk=effect.pk).update(last_error="")
            ApiCall.objects.create(
                organization=organization,
                effect=effect,
                opportunity_id=opportunity_id,
                platform=Delivery.Platform.LEVER,
                method="POST",
                path="/opportunities",
                status=200,
                duration_ms=1,
            )


WEB_CONNECTIONS = 8
LONGEST_SECONDS = 300.0


@dataclass(frozen=True)
class Round:
    """One round: invitations a second of the portal and of both bare loops, and the portal's CPU an invitation."""

    portal: float
    bare_calls: float
    bare_rows: float
    cpu_ms: float


class WorkflowBenchmark(Benchmark):
    """Webhook → verdict → CodeScreen → tag, as fast as it goes."""

    name = "workflow"
    help = "invitations a second from the webhook to the tag, beside a bare loop of the same calls"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add how many invitations and organizations, and how fast the platforms answer."""
        parser.add_argument("--invitations", type=int, default=300, help="in each round (default 300)")
        parser.add_argument("--organizations", type=int, default=1, help="that share them (default 1)")
        parser.add_argument("--answer-ms", type=float, default=1.0, help="of both platforms (default 1)")
        parser.add_argument("--past", type=int, default=2_000, help="invitations before (default 2,000)")
        parser.add_argument("--rounds", type=int, default=3, help="alternating rounds (default 3)")

    def variables(self, options: Namespace) -> Mapping[str, str]:
        """Return an environment in which no rate limit and no poll is in the way."""
        return WITHOUT_LIMITS

    def run(self, setup: Setup) -> Report:
        """Measure the portal and both loops in turns."""
        options = setup.options
        organizations = connected_organizations(options.organizations)
        _write_past(organizations[0], options.past)
        rounds: list[Round] = []
        with node_at_work(setup, options.answer_ms / 1000) as (platforms, supervisor):
            groups = [run.pid for run in supervisor.runs.values()]
            run = _Run(setup, organizations, platforms, groups)
            run.invite(max(20, options.organizations))  # warm up: copies of the lists, connections
            for number in range(options.rounds):
                rounds.append(run.round(options.invitations))
                setup.log(f"round {number + 1}: {rounds[-1]}")
        return _report(options, rounds)


def _write_past(organization: Organization, count: int) -> None:
    """Write past invitations, and have the database count its rows as a running one does.

    While tables are empty or uncounted, PostgreSQL plans look-ups that go through all rows, and keeps those plans.
    """
    if count:
        row_rate(organization, count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@dataclass(frozen=True)
class _Run:
    setup: Setup
    organizations: list[Organization]
    platforms: PretendPlatforms
    groups: list[int]

    def round(self, count: int) -> Round:
        """Measure each of the three once."""
        bare_calls = call_rate(self.platforms, count)
        bare_rows = row_rate(self.organizations[0], count)
        cpu_before = cpu_seconds(self.groups)
        portal = self.invite(count)
        cpu = cpu_seconds(self.groups) - cpu_before
        return Round(portal, bare_calls, bare_rows, cpu / count * 1000)

    def invite(self, count: int) -> float:
        """Move so many candidates at once; return the invitations a second until the last has its tag."""
        moved = [
            customers.stage_change(self.organizations[number % len(self.organizations)])
            for number in range(count)
        ]
        waiting = {f"/v1/opportunities/{webhook.opportunity_id}/addTags" for webhook in moved}
        calls_before = self.platforms.lever_count()
        began = time.time()
        customers.send(self.setup.environment.portal_url, moved, WEB_CONNECTIONS)
        wait_until(
            lambda: self.platforms.lever_count() >= calls_before + 2 * count or None,
            LONGEST_SECONDS,
            "the invitations take too long",
        )
        tagged = wait_until(
            lambda: self._tagged(waiting), LONGEST_SECONDS, "a candidate has no tag", every=1.0
        )
        ids = [webhook.opportunity_id for webhook in moved]
        wait_until(
            lambda: (
                Invitation.objects.filter(opportunity_id__in=ids, status="invited").count() == count or None
            ),
            LONGEST_SECONDS,
            "not everybody was invited",
        )
        connections.close_all()
        return count / (tagged - began)

    def _tagged(self, waiting: set[str]) -> float | None:
        """Return when the last of these calls came, None while one of them is missing."""
        times = {path: at for at, _method, path in self.platforms.lever_calls() if path in waiting}
        return max(times.values()) if len(times) == len(waiting) else None


def _report(options: Namespace, rounds: list[Round]) -> Report:
    portal = [one.portal for one in rounds]
    table = Table(
        f"{options.invitations:,} invitations at once, {options.organizations} organizations, platforms answer in "
        f"{options.answer_ms:g} ms, {len(rounds)} rounds",
        ("figure", "median"),
    )
    table.rows.append(("invitations a second", f"{statistics.median(portal):.0f}"))
    for name, values in (
        ("÷ a bare loop of the calls", [one.bare_calls for one in rounds]),
        ("÷ the same rows written barely", [one.bare_rows for one in rounds]),
    ):
        text = f"{Spread.of(ratios(portal, values)).as_text(3)} of {statistics.median(values):.0f} a second"
        table.rows.append((name, text))
    cpu = Spread.of([one.cpu_ms for one in rounds]).as_text(1)
    table.rows.append(("CPU of all our processes an invitation", f"{cpu} ms"))
    return Report([table], {"rounds": [asdict(one) for one in rounds]})
