"""What others wait for a decision while the workers erase very many people of one organization."""

import statistics
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue.models.duty_run import Duty, DutyRun
from portal.devtools.benchmarks import customers
from portal.devtools.benchmarks.benchmark import Benchmark, Report, Setup, Table, percentile
from portal.devtools.benchmarks.customers import connected_organizations, node_at_work

BATCH = 2000
LONG_AGO = timedelta(days=400)
#: Of so many e-mails one belongs to no candidate: notices of problems, which an erasure looks through.
ONE_OF_NOBODY = 10


class NeighbourBenchmark(Benchmark):
    """One organization's retention erases people; another's webhooks are decided meanwhile."""

    name = "neighbour"
    help = "what one organization's webhooks wait while another's people are erased by retention"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add how many people and workers, how often a webhook comes, and for how long."""
        parser.add_argument("--people", type=int, default=30_000, help="to erase (default 30,000)")
        parser.add_argument("--workers", type=int, default=1, help="worker processes (default 1)")
        parser.add_argument("--seconds", type=float, default=300.0, help="measured (default 300)")
        parser.add_argument("--pause", type=float, default=0.5, help="between webhooks (default 0.5)")

    def variables(self, options: Namespace) -> Mapping[str, str]:
        """Return an environment with that many workers."""
        return {"Q_WORKERS": str(options.workers), "LEVER_RATE": "1000000", "LEVER_BURST": "1000000"}

    def run(self, setup: Setup) -> Report:
        """Measure beside the retention, until it is done or the time is over."""
        options = setup.options
        large, other = connected_organizations(2)
        Organization.objects.filter(pk=large.pk).update(retention_days=365)
        _people(large, options.people)
        with node_at_work(setup, 0.05):
            DutyRun.objects.request(Duty.PURGE, [large.pk])
            began = time.monotonic()
            while (elapsed := time.monotonic() - began) < options.seconds:
                customers.send(setup.environment.portal_url, [customers.stage_change(other)], 1)
                time.sleep(options.pause)
                if int(elapsed) % 30 == 0:
                    setup.log(f"{elapsed:.0f} s: {_left(large):,} people left")
            time.sleep(10)
        return _report(large, other, options)


def _people(organization: Organization, count: int) -> None:
    """Store people whose journeys ended long ago, each with an invitation and an e-mail."""
    at = timezone.now() - LONG_AGO
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        invitations = Invitation.objects.bulk_create(
            Invitation(
                organization=organization,
                opportunity_id=f"opportunity-{number:06}",
                contact_id=f"contact-{number:06}",
                candidate_name=f"Person Number{number}",
                email=f"person{number}@example.com",
                assessment_id="assessment-0",
                assessment_name="Assessment 0",
                stage_id="stage-2",
                status=Invitation.Status.COMPLETED,
                completed_at=at,
                changed_at=at,
                instance_id=f"instance-past-{number}",
            )
            for number in numbers
        )
        Candidate.objects.bulk_create(
            Candidate(
                organization=organization,
                opportunity_id=invitation.opportunity_id,
                name=invitation.candidate_name,
                email=invitation.email,
                entered_at=at,
            )
            for invitation in invitations
        )
        Effect.objects.bulk_create(
            _email(invitation, number) for number, invitation in enumerate(invitations)
        )
    Effect.objects.filter(kind=Effect.Kind.SEND_EMAIL).update(created_at=at)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _email(invitation: Invitation, number: int) -> Effect:
    is_of_nobody = number % ONE_OF_NOBODY == 0
    return Effect(
        organization_id=invitation.organization_id,
        kind=Effect.Kind.SEND_EMAIL,
        email_topic="incident_begun" if is_of_nobody else "result",
        key=f"past:{invitation.pk}",
        invitation=None if is_of_nobody else invitation,
        opportunity_id="" if is_of_nobody else invitation.opportunity_id,
        state=Effect.State.DONE,
        due_at=None,
        payload={
            "subject": "Something could not be written" if is_of_nobody else invitation.candidate_name,
            "lines": ["The portal tries again. " * 20],
            "recipients": ["owner@customer.example"],
        },
    )


def _left(organization: Organization) -> int:
    return Candidate.objects.filter(organization=organization, erased_at__isnull=True).count()


def _report(large: Organization, other: Organization, options: Namespace) -> Report:
    rows = Delivery.objects.filter(organization=other)
    times = [(at, received) for at, received in rows.values_list("decided_at", "received_at")]
    now = timezone.now()
    waits = [((decided or now) - received).total_seconds() for decided, received in times]
    run = DutyRun.objects.get(organization=large, duty=Duty.PURGE)
    table = Table(
        f"{options.people:,} people to erase, {options.workers} worker process(es), {options.seconds:.0f} s",
        ("webhooks of the other", "undecided", "p50", "p99", "slowest", "erased", "turns", "failed turns"),
        [
            (
                str(len(waits)),
                str(sum(decided is None for decided, _ in times)),
                f"{statistics.median(waits) * 1000:.0f} ms",
                f"{percentile(waits, 99):.2f} s",
                f"{max(waits):.2f} s",
                f"{options.people - _left(large):,}",
                str(run.attempts),
                str(run.failures),
            )
        ],
    )
    return Report([table], {"waits": waits})
