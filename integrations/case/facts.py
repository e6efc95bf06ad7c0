"""Gather what a verdict depends on: from the delivery, and from Lever and CodeScreen where it must."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from integrations.case.lost_rows import lost_rows
from integrations.case.person import Person, candidate_snapshot, invitations_of, read_people
from integrations.catalog.lists import (
    live_assessments,
    mapping_index,
    needs_refresh,
    refresh_assessments,
    stage_name,
)
from integrations.clients.provider import ClientProvider
from integrations.core.invitation_status import UNSENT, InvitationStatus
from integrations.core.rules.choose_assessment import choose_assessment, depends_on_hidden_role
from integrations.core.rules.decide import decide_before_read, decide_locally
from integrations.core.rules.facts import (
    CandidateSnapshot,
    EnteredBefore,
    Facts,
    NoCandidate,
)
from integrations.core.rules.names import KnownAssessment
from integrations.core.vocabulary import DeliveryEvent
from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import People, count_candidates
from integrations.invitations.models.invitation import Invitation
from integrations.lever.payloads import Opportunity, StageChange, is_test_request, moment
from integrations.organizations.models.organization import Organization
from integrations.privacy.models import Erasure
from integrations.store import database

#: An opportunity, and when it was read.
type ReadLately = tuple[Opportunity, datetime]


class NotShown(Enum):
    """What Lever answered 403, 404 or the like for, or late, although the verdict depends on it."""

    CANDIDATE = "Lever doesn't show this candidate to the portal"
    ROLE = "Lever doesn't show this candidate's role to the portal"
    STAGE = "Lever doesn't show this candidate in the new stage yet"


@dataclass(frozen=True)
class FactsSnapshot:
    """Facts without the portal's own rows, the opportunity they were read from, who is on it, and when it was read."""

    facts: Facts
    opportunity: Opportunity | None = None
    people: People = field(default_factory=dict)
    read_at: datetime | None = None
    not_shown: NotShown | None = None


def gather_facts(
    delivery: Delivery,
    clients: ClientProvider,
    known: Opportunity | None = None,
    read_at: datetime | None = None,
    *,
    listed: Callable[[Delivery], ReadLately | None] = lambda _: None,
) -> FactsSnapshot:
    """Return the facts of a Lever delivery, except for those from the portal's own invitations.

    The delivery's organization is one that was read for this step. A webhook is a hint: the candidate is read again
    from Lever, unless `known` was read just now, at `read_at`, or `listed` has it from a reading with others that wait.
    Raises PlatformError when a platform doesn't answer; the delivery is then decided later.
    """
    organization = delivery.organization
    began = database.now()
    change = StageChange.from_payload(delivery.payload)
    facts = replace(
        rules_of(organization),
        event=delivery.event,
        is_test=delivery.event != DeliveryEvent.SWEEP and is_test_request(delivery.payload),
        pause=organization.pause,
        other_integration_off=organization.other_integration_off,
        disconnected_reason=organization.disconnected_reason,
        is_erased=Erasure.objects.forbids(organization.pk, change.opportunity_id),
        stage_id=change.to_stage_id,
        chosen_assessment=delivery.chosen_assessment,
        bulk_limit=organization.bulk_limit,
        bulk_window=organization.bulk_window,
        reentry_days=organization.reentry_days,
    )
    if decide_locally(facts) is not None:
        return FactsSnapshot(facts)
    facts = replace(facts, stage_name=stage_name(organization, change.to_stage_id, clients))
    if decide_before_read(facts) is not None and not _may_have_left(organization, change):
        return FactsSnapshot(facts)
    read_lately = listed(delivery) if known is None else None
    if read_lately is not None:
        known, read_at = read_lately
    read_at = min(read_at, began) if read_at else began
    return replace(_read(organization, delivery, facts, clients, known), read_at=read_at)


def rules_of(organization: Organization) -> Facts:
    """Return what the organization's rules say of everybody."""
    return Facts(
        event=DeliveryEvent.STAGE_CHANGE,
        stage_prefix=organization.stage_prefix,
        mappings=mapping_index(organization),
        default_assessment=organization.default_assessment,
        origins=organization.origins,
    )


def gather_facts_of_now(
    organization: Organization,
    opportunity: Opportunity,
    clients: ClientProvider,
    chosen: KnownAssessment | None = None,
    *,
    in_any_stage: bool = False,
) -> Facts:
    """Return the facts of a candidate who was decided before, where they are now; none of the portal's own invitations.

    The `chosen` assessment is the one that a person chose for them, with `in_any_stage` wherever they are. What was
    weighed by the decision and stays so is left out: when they entered, what they had, how many were invited at once.
    Raises PlatformError.
    """
    name = stage_name(organization, opportunity.stage_id, clients)
    candidate = candidate_snapshot(organization, opportunity, name, clients)
    facts = replace(
        rules_of(organization),
        stage_id=opportunity.stage_id,
        stage_name=name,
        candidate=candidate,
        in_any_stage=in_any_stage,
    )
    if chosen is not None:  # also where the list lacks it: CodeScreen is asked, and says why it isn't sent
        return replace(facts, chosen_assessment=chosen.id, assessments=(chosen,))
    if decide_before_read(facts) is not None:
        return facts
    return replace(facts, assessments=_assessments(organization, facts, candidate, clients))


def _may_have_left(organization: Organization, change: StageChange) -> bool:
    """Whether a move to another stage may concern an invitation that hasn't been started."""
    return Invitation.objects.filter(
        organization=organization,
        opportunity_id=change.opportunity_id,
        status__in=[*UNSENT, Invitation.Status.INVITED],
    ).exists()


def _read(
    organization: Organization,
    delivery: Delivery,
    facts: Facts,
    clients: ClientProvider,
    known: Opportunity | None,
) -> FactsSnapshot:
    change = StageChange.from_payload(delivery.payload)
    opportunity = known or read_opportunity(change.opportunity_id, clients)
    if isinstance(opportunity, NoCandidate):
        not_shown = NotShown.CANDIDATE if opportunity is NoCandidate.NOT_VISIBLE else None
        return FactsSnapshot(replace(facts, candidate=opportunity), not_shown=not_shown)
    people = read_people(organization, opportunity, clients)
    current = facts.stage_name if opportunity.stage_id == facts.stage_id else ""
    name = current or stage_name(organization, opportunity.stage_id, clients)
    candidate = candidate_snapshot(organization, opportunity, name, clients)
    facts = replace(facts, candidate=candidate)
    may_invite = decide_before_read(facts) is None
    if may_invite and not is_chosen(delivery):
        cause = _entered_before(organization, opportunity)
        facts = replace(facts, entered_before=cause, lost=lost_rows(organization, opportunity, clients))
    not_shown = NotShown.ROLE if depends_on_hidden_role(facts, candidate) else None
    is_move = delivery.event == DeliveryEvent.STAGE_CHANGE and not is_chosen(delivery)
    if is_move and change.is_ahead_of(opportunity):
        not_shown = NotShown.STAGE
    if may_invite:
        facts = replace(facts, assessments=_assessments(organization, facts, candidate, clients))
    return FactsSnapshot(facts, opportunity, people, not_shown=not_shown)


def is_chosen(delivery: Delivery) -> bool:
    """Whether a person chose to invite the candidate, who may be invited already; not when a restore came since."""
    chosen_at = delivery.chosen_at
    return chosen_at is not None and not delivery.organization.has_lost_rows_since(chosen_at)


def _entered_before(organization: Organization, opportunity: Opportunity) -> EnteredBefore | None:
    """Return why it can't be known by the time of entry whether the candidate is invited; None where it can.

    That holds for webhooks too: what one says isn't signed, so it is worth no more than what a sweep finds.
    """
    connection, entered_at = organization.lever_connection, opportunity.entered_at
    if entered_at is None:
        # who wasn't in the stage when it was first compared has come since
        offered = Delivery.objects.offered().filter(organization=organization, opportunity_id=opportunity.id)
        was_there = connection.swept_at is None or offered.exists()
        return EnteredBefore.UNKNOWN_TIME if was_there else None
    is_before = connection.first_connected_at and entered_at < connection.first_connected_at
    return EnteredBefore.CONNECTING if is_before else None


def read_opportunity(opportunity_id: str, clients: ClientProvider) -> Opportunity | NoCandidate:
    """Return the opportunity, or why there is none. Raises PlatformError."""
    if not opportunity_id:
        return NoCandidate.NO_SUCH_ID
    try:
        return clients.lever().opportunity(opportunity_id)
    except PlatformError as error:
        if error.status == 400:  # Lever's answer to an id that can't be one of its own
            return NoCandidate.NO_SUCH_ID
        # any other answer that stays the same means as little as a 404; 401 is about the grant
        if error.permanent and error.status not in {None, 401}:
            return NoCandidate.NOT_VISIBLE
        raise


def _assessments(
    organization: Organization, facts: Facts, candidate: CandidateSnapshot, clients: ClientProvider
) -> tuple[KnownAssessment, ...]:
    """Return CodeScreen's assessments; the list is read again when the copy is old or lacks the named one."""
    refreshed_at = organization.codescreen_connection.assessments_refreshed_at
    copy = live_assessments(organization)
    match = choose_assessment(replace(facts, assessments=copy), candidate)
    has_named = bool(copy) and (match is None or bool(match.found))
    if needs_refresh(refreshed_at, has_entry=has_named):
        refresh_assessments(organization, clients.codescreen())
        copy = live_assessments(organization)
    return copy


def entered_at(delivery: Delivery, opportunity: Opportunity | None) -> datetime | None:
    """Return when the delivery's stage was entered, at the latest when the delivery came; None where nobody says.

    Lever's own word of the opportunity that was read counts. Only where it has none, or the candidate is elsewhere by
    now, the time in the webhook does: it is signed, but may be that of another webhook.
    """
    is_there = opportunity and opportunity.stage_id == StageChange.from_payload(delivery.payload).to_stage_id
    stated = opportunity.entered_at if opportunity and is_there else None
    if stated is None and delivery.event != DeliveryEvent.SWEEP:
        stated = moment(delivery.payload.get("triggeredAt")) or delivery.received_at
    return min(stated, delivery.received_at) if stated else None


def with_database_facts(snapshot: FactsSnapshot, delivery: Delivery, opportunity: Opportunity) -> Facts:
    """Return the facts completed with the person's invitations; called inside the deciding transaction."""
    organization_id, facts = delivery.organization_id, snapshot.facts
    if Erasure.objects.forbids(organization_id, delivery.opportunity_id):
        return replace(facts, is_erased=True)
    person = Person.of_opportunity(organization_id, opportunity)
    found = invitations_of(person, entered_at(delivery, opportunity))
    is_known = is_chosen(delivery) or found.explain(opportunity.tags)
    return replace(
        facts,
        is_erased=False,
        entered_before=facts.entered_before or (None if is_known else EnteredBefore.PROGRESS_TAG),
        invitations_here=found.here,
        invitations_elsewhere=found.elsewhere,
        recently_invited=others_invited(delivery, facts.bulk_window) if facts.bulk_limit else 0,
    )


def others_invited(delivery: Delivery, minutes: int) -> int:
    """Return how many other candidates of the organization it was decided to invite in the last `minutes`."""
    since = database.now() - timedelta(minutes=minutes)
    invited = Invitation.objects.filter(organization=delivery.organization_id, created_at__gte=since)
    others = invited.exclude(status=InvitationStatus.HELD).exclude(opportunity_id=delivery.opportunity_id)
    return count_candidates(others)
