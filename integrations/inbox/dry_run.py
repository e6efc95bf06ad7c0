"""Return what a delivery would lead to: the code of the real run is executed and rolled back."""

import uuid
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import Q

from integrations.case.facts import FactsSnapshot, gather_facts, read_opportunity, with_database_facts
from integrations.case.reconcile import changing
from integrations.clients.provider import ClientProvider
from integrations.core.rules.decide import decide
from integrations.core.rules.facts import CandidateSnapshot, Decision, Facts
from integrations.core.vocabulary import DeliveryEvent
from integrations.inbox.decide_delivery import apply_decision
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.record_candidate import store_shown
from integrations.invitations.models.invitation import Invitation
from integrations.lever.payloads import Opportunity
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.store import database


@dataclass(frozen=True)
class DryRun:
    """What one delivery would lead to: the verdict, the effects it would enqueue, the invitations it would change.

    `candidate_name` and `role_title` say who it is about, as Lever shows them now; empty where nobody was read.
    """

    decision: Decision
    effects: tuple[Effect, ...] = ()
    invitations: tuple[Invitation, ...] = ()
    candidate_name: str = ""
    role_title: str = ""


def dry_run(
    organization: Organization, opportunity_id: str, stage_id: str, clients: ClientProvider
) -> DryRun:
    """Return what would follow if the candidate entered the stage now.

    Writes nothing but the copies of what the platforms show and the record of its calls. Raises PlatformError.
    """
    delivery = Delivery(
        organization=organization,
        platform=Delivery.Platform.LEVER,
        event=DeliveryEvent.STAGE_CHANGE,
        opportunity_id=opportunity_id[:200],
        payload={
            "event": DeliveryEvent.STAGE_CHANGE,
            "data": {"opportunityId": opportunity_id, "toStageId": stage_id},
        },
        received_at=database.now(),
    )
    known = None
    if not organization.pause and not organization.disconnected_reason:
        opportunity = read_opportunity(opportunity_id, clients)
        if isinstance(opportunity, Opportunity):
            store_shown(organization, [opportunity])  # so that the candidate's page agrees
            known = replace(opportunity, stage_id=stage_id, entered_at=delivery.received_at)
    return _try_out(delivery, gather_facts(delivery, clients, known))


def preview(delivery: Delivery, clients: ClientProvider) -> Decision:
    """Return the verdict a delivery would get now; writes nothing but the copies of the platforms' lists."""
    snapshot = gather_facts(delivery, clients)
    return decide(_completed(snapshot, delivery))


def _completed(snapshot: FactsSnapshot, delivery: Delivery) -> Facts:
    if snapshot.opportunity is None:
        return snapshot.facts
    return with_database_facts(snapshot, delivery, snapshot.opportunity)


def _try_out(delivery: Delivery, snapshot: FactsSnapshot) -> DryRun:
    """Decide a delivery that isn't stored, write what follows as the real run does, and roll all of it back."""
    with transaction.atomic():
        organization = Organization.objects.lock(delivery.organization_id)
        facts = _completed(snapshot, delivery)
        decision = decide(facts)
        effects = Effect.objects.filter(organization=organization)
        last_id = effects.order_by("-pk").values_list("pk", flat=True).first() or 0
        delivery.dedupe_key = f"dry-run:{uuid.uuid4().hex}"
        delivery.save()
        with changing(organization, delivery.opportunity_id) as case:
            statuses = {one.pk: one.status for one in case.invitations}
            at_rest = [one.pk for one in case.effects if one.state != Effect.State.DUE]
            apply_decision(case, delivery, decision, facts, snapshot)
        enqueued = effects.filter(Q(pk__gt=last_id) | Q(pk__in=at_rest, state=Effect.State.DUE))
        outcome = DryRun(
            decision,
            tuple(enqueued.select_related("invitation").order_by("priority", "pk")),
            tuple(one for one in case.invitations if statuses.get(one.pk) != one.status),
            snapshot.opportunity.name if snapshot.opportunity else "",
            facts.candidate.role_title if isinstance(facts.candidate, CandidateSnapshot) else "",
        )
        transaction.set_rollback(True)
    return outcome
