"""What an invitation costs at the least: the same calls without the portal, and the same rows written barely."""

import time
import uuid
from collections.abc import Callable
from functools import partial

import requests
from django.db import connections, transaction
from django.utils import timezone

from integrations.clients.models import ApiCall
from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from portal.devtools.benchmarks.platforms import PretendPlatforms
from portal.devtools.threads import run_in_threads

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
