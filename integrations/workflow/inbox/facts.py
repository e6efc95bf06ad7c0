"""Gather what a verdict needs: from the delivery, from Lever and CodeScreen where it must, from the portal's rows."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db.models import Q, Value
from django.db.models.functions import Now, Upper

from integrations.clients.provider import ClientProvider
from integrations.http.errors import PlatformError
from integrations.lever.payloads import Opportunity, StageChange, is_test_request
from integrations.models import (
    Delivery,
    Effect,
    Invitation,
    Organization,
    db_clock,
)
from integrations.models.invitation import OPEN
from integrations.vocabulary import DeliveryEvent, ReentryPolicy, ResultOutcome
from integrations.workflow.catalog.lookup import live_assessments, needs_refresh, role_title, stage_name
from integrations.workflow.catalog.sync import refresh_assessments
from integrations.workflow.catalog.trigger_policy import mapping_index
from integrations.workflow.rules.assessment_match import choose_assessment
from integrations.workflow.rules.assessments import KnownAssessment
from integrations.workflow.rules.decide import decide_before_read, decide_locally
from integrations.workflow.rules.facts import (
    CandidateSnapshot,
    ExistingInvitation,
    Facts,
    NoCandidate,
)


@dataclass(frozen=True)
class FactsSnapshot:
    """Facts so far, the opportunity they were read from, and when that was asked for."""

    facts: Facts
    opportunity: Opportunity | None = None
    read_at: datetime | None = None


# gathering


def gather_facts(
    delivery: Delivery,
    clients: ClientProvider,
    known: Opportunity | None = None,
    read_at: datetime | None = None,
) -> FactsSnapshot:
    """Return the facts of a Lever delivery as far as they lie outside the portal's own rows.

    The delivery is a hint: what it says of the candidate is read again from Lever, unless `known` was read just now,
    at `read_at`.
    Raises PlatformError when a platform doesn't answer; the delivery is then decided later.
    """
    organization = Organization.objects.with_connections().get(pk=delivery.organization_id)
    change = StageChange.from_payload(delivery.payload)
    facts = Facts(
        event=delivery.event,
        is_test=delivery.event != DeliveryEvent.SWEEP and is_test_request(delivery.payload),
        is_paused=organization.paused,
        disconnected_reason=organization.disconnected_reason,
        stage_prefix=organization.stage_prefix,
        stage_id=change.to_stage_id,
        mappings=mapping_index(organization),
        default_assessment=organization.default_assessment,
        bulk_limit=organization.bulk_limit,
        bulk_window=organization.bulk_window,
        reentry=ReentryPolicy(organization.reentry),
        reentry_days=organization.reentry_days,
    )
    if decide_locally(facts) is not None:
        return FactsSnapshot(facts)
    facts = replace(facts, stage_name=stage_name(organization, change.to_stage_id, clients))
    if decide_before_read(facts) is not None and not _may_have_left(organization, change):
        return FactsSnapshot(facts)
    read_at = read_at or db_clock.now()
    return replace(_read(organization, change, facts, clients, known), read_at=read_at)


def _may_have_left(organization: Organization, change: StageChange) -> bool:
    """Whether a move to another stage may concern an invitation that hasn't been started."""
    return Invitation.objects.filter(
        organization=organization,
        opportunity_id=change.opportunity_id,
        status__in=[Invitation.Status.HELD, Invitation.Status.PENDING, Invitation.Status.INVITED],
    ).exists()


def _read(
    organization: Organization,
    change: StageChange,
    facts: Facts,
    clients: ClientProvider,
    known: Opportunity | None,
) -> FactsSnapshot:
    opportunity = known or read_opportunity(change.opportunity_id, clients)
    if opportunity is None:
        return FactsSnapshot(replace(facts, candidate=NoCandidate.NOT_VISIBLE))
    current = facts.stage_name if opportunity.stage_id == facts.stage_id else ""
    candidate = CandidateSnapshot(
        stage_id=opportunity.stage_id,
        stage_name=current or stage_name(organization, opportunity.stage_id, clients),
        role_id=opportunity.posting_id,
        role_title=role_title(organization, opportunity.posting_id, clients),
        tags=opportunity.tags,
        emails=opportunity.emails,
        is_archived=opportunity.is_archived,
        is_anonymized=opportunity.is_anonymized,
        may_contact=opportunity.may_contact,
    )
    facts = replace(facts, candidate=candidate)
    if decide_before_read(facts) is None:
        facts = replace(facts, assessments=_assessments(organization, facts, candidate, clients))
    return FactsSnapshot(facts, opportunity)


def read_opportunity(opportunity_id: str, clients: ClientProvider) -> Opportunity | None:
    """Return the opportunity, None when Lever doesn't show it. Raises PlatformError."""
    if not opportunity_id:
        return None
    try:
        return clients.lever().opportunity(opportunity_id)
    except PlatformError as error:
        if error.status in {400, 403, 404}:  # 400 is what Lever says to an id that can't be one of its own
            return None
        raise


def _assessments(
    organization: Organization, facts: Facts, candidate: CandidateSnapshot, clients: ClientProvider
) -> tuple[KnownAssessment, ...]:
    """Return the live assessments; read again when the copy is old or lacks what is named."""
    refreshed_at = organization.codescreen_connection.assessments_refreshed_at
    copy = live_assessments(organization)
    match = choose_assessment(replace(facts, assessments=copy), candidate)
    has_named = bool(copy) and (match is None or not match.unknown)
    if needs_refresh(refreshed_at, has_entry=has_named):
        refresh_assessments(organization, clients.codescreen())
        copy = live_assessments(organization)
    return copy


# the portal's own rows


def _entered_at(delivery: Delivery) -> datetime | None:
    """Return when a delivery says that the stage was entered; the sweep's says only that somebody is in it."""
    if delivery.event == DeliveryEvent.SWEEP:
        return None
    triggered_at = delivery.payload.get("triggeredAt")
    if (
        type(triggered_at) is int and 0 < triggered_at < 32_503_680_000_000
    ):  # milliseconds, before the year 3000
        return min(datetime.fromtimestamp(triggered_at / 1000, UTC), delivery.received_at)
    return delivery.received_at


def _existing_invitation(invitation: Invitation, entered_at: datetime | None = None) -> ExistingInvitation:
    done_at = invitation.completed_at
    latest = invitation.results.first() if done_at else None
    status = Invitation.Status(invitation.status)
    # stopped while nobody knew whether it had arrived: that nobody follows it doesn't mean that it can go out again
    was_uncertain = (
        status == Invitation.Status.WITHDRAWN
        and not invitation.instance_id
        and invitation.effects.filter(
            kind=Effect.Kind.SEND_INVITATION, state=Effect.State.CANCELLED, attempt_started_at__isnull=False
        ).exists()
    )
    return ExistingInvitation(
        id=invitation.pk,
        assessment_id=invitation.assessment_id,
        status=status,
        status_phrase="perhaps sent, and not followed" if was_uncertain else _STATUS_PHRASES[status],
        since=f"{invitation.changed_at:%-d %B %Y, %H:%M} UTC",
        was_sent=bool(invitation.instance_id) or was_uncertain or status == Invitation.Status.UNCERTAIN,
        round=invitation.round,
        outcome=ResultOutcome(latest.outcome) if latest and latest.outcome else None,
        days_since_completion=(db_clock.now() - done_at).total_seconds() / 86400 if done_at else None,
        was_reentered=bool(done_at and entered_at and entered_at > done_at),
    )


_STATUS_PHRASES = {
    Invitation.Status.HELD: "waiting for approval",
    Invitation.Status.PENDING: "about to be sent",
    Invitation.Status.SENDING: "being sent",
    Invitation.Status.UNCERTAIN: "perhaps sent, waiting for a person to say",
    Invitation.Status.INVITED: "invited and not started",
    Invitation.Status.IN_PROGRESS: "in progress",
    Invitation.Status.SUBMITTED: "submitted",
    Invitation.Status.COMPLETED: "done",
    Invitation.Status.WITHDRAWN: "invited, and not followed since the stage was left,",
    Invitation.Status.FAILED: "failed",
}


def with_database_facts(gathered: FactsSnapshot, delivery: Delivery) -> Facts:
    """Return the facts completed from the portal's rows; called inside the deciding transaction."""
    facts, opportunity = gathered.facts, gathered.opportunity
    if opportunity is None:
        return facts
    invitations = Invitation.objects.filter(organization=delivery.organization_id).alias(
        address=Upper("email")
    )
    here = invitations.filter(opportunity_id=opportunity.id).order_by("-round", "-pk")
    person = Q(pk__in=[])
    if opportunity.contact_id:
        person |= Q(contact_id=opportunity.contact_id)
    for email in opportunity.emails:
        person |= Q(address=Upper(Value(email)))  # not iexact, which no index answers on SQLite
    elsewhere = invitations.filter(person, status__in=OPEN).exclude(opportunity_id=opportunity.id)
    recently = (
        count_recent_invitations(delivery.organization_id, facts.bulk_window) if facts.bulk_limit else 0
    )
    entered_at = _entered_at(delivery)
    return replace(
        facts,
        invitations_here=tuple(_existing_invitation(row, entered_at) for row in here),
        invitations_elsewhere=tuple(_existing_invitation(row) for row in elsewhere),
        recently_invited=recently,
    )


def count_recent_invitations(organization_id: int, minutes: int) -> int:
    """Return how many invitations of an organization were decided in the last so many minutes."""
    rows = Invitation.objects.filter(
        organization=organization_id, created_at__gte=Now() - timedelta(minutes=minutes)
    )
    return rows.exclude(status=Invitation.Status.HELD).count()
