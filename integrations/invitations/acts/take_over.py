"""Take over who was invited by CodeScreen's own Lever integration: known here, and not invited again."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from django.db import transaction

from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit
from integrations.case.facts import gather_facts_of_now
from integrations.case.person import Person, invitations_of
from integrations.case.reconcile import changing
from integrations.catalog.lists import refresh_stages, trigger_stages
from integrations.clients.provider import ClientProvider
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.choose_assessment import choose_assessment
from integrations.core.rules.decide import decide_before_read
from integrations.core.rules.facts import Facts, first_usable_email
from integrations.core.rules.names import KnownAssessment, has_progress_tag, normalize
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ActionNotAllowed, ProgressTag
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.acts.invitations import ERASED, free_instance
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lever.payloads import Opportunity
from integrations.organizations.models.organization import Organization
from integrations.privacy.models import Erasure
from integrations.store import database

TAKEN_OVER = (
    "CodeScreen's own Lever integration invited the candidate. The portal doesn't follow that invitation."
)
NO_ASSESSMENT = "The rules name no assessment, or several, for this candidate. Map the role first."
NO_TAG = "The candidate has no progress tag in Lever, or the portal knows the invitation already."


@dataclass(frozen=True)
class Tagged:
    """Somebody in a trigger stage with a progress tag that no invitation here explains.

    `assessment` is what the rules name for them; None where they name none, or several.
    """

    opportunity: Opportunity
    facts: Facts
    tag: ProgressTag
    assessment: KnownAssessment | None

    @property
    def is_over(self) -> bool:
        """Whether the tag says that the assessment is over, so that there is nothing to follow."""
        return self.tag in Status.COMPLETED.record.tags


def tagged_candidates(organization: Organization, clients: ClientProvider) -> Iterator[Tagged]:
    """Yield everybody in Lever's trigger stages that another integration invited. Raises PlatformError."""
    refresh_stages(organization, clients.lever())
    stages = [stage.external_id for stage in trigger_stages(organization)]
    if not stages:
        return
    pages = clients.lever().opportunity_pages({"stage_id": stages, "archived": "false"})
    for opportunity in chain.from_iterable(page.items for page in pages):
        if (found := _tagged(organization, opportunity, clients)) is not None:
            yield found


def tagged_candidate(organization: Organization, opportunity_id: str, clients: ClientProvider) -> Tagged:
    """Return one of them as Lever shows them now. Raises ActionNotAllowed, and PlatformError."""
    found = _tagged(organization, clients.lever().opportunity(opportunity_id), clients)
    if found is None:
        raise ActionNotAllowed(NO_TAG)
    return found


def _tagged(organization: Organization, opportunity: Opportunity, clients: ClientProvider) -> Tagged | None:
    if not has_progress_tag(opportunity.tags) or opportunity.is_anonymized or opportunity.is_archived:
        return None
    if Erasure.objects.forbids(organization.pk, opportunity.id):
        return None
    person = Person.of_opportunity(organization.pk, opportunity)
    if invitations_of(person).explain(opportunity.tags):
        return None
    facts = gather_facts_of_now(organization, opportunity, clients)
    if decide_before_read(facts) is not None:
        return None  # in no trigger stage any more
    match = choose_assessment(facts, facts.shown) if facts.shown else None
    assessment = match.found[0] if match is not None and len(match.found) == 1 else None
    written = {normalize(tag) for tag in opportunity.tags}
    tags = [tag for tag in ProgressTag if normalize(tag) in written]
    over = [tag for tag in tags if tag in Status.COMPLETED.record.tags]
    return Tagged(opportunity, facts, next(iter(over or tags), ProgressTag.INVITED), assessment)


def take_over(organization: Organization, found: Tagged, actor: Actor, instance_id: str = "") -> Invitation:
    """Store the invitation that another integration sent, and return it. Raises ActionNotAllowed.

    With the instance in CodeScreen it is followed from now on, unless the tag says that it is over.
    """
    opportunity, assessment = found.opportunity, found.assessment
    if assessment is None:
        raise ActionNotAllowed(NO_ASSESSMENT)
    instance_id = "" if found.is_over else instance_id.strip()
    with transaction.atomic():
        locked = Organization.objects.lock(organization.pk)
        with changing(locked, opportunity.id) as case:
            if Erasure.objects.forbids(locked.pk, opportunity.id):
                raise ActionNotAllowed(ERASED)
            person = Person.of_opportunity(locked.pk, opportunity)
            if invitations_of(person).explain(opportunity.tags) or any(
                (one.assessment_id, one.round) == (assessment.id, 1) for one in case.invitations
            ):
                raise ActionNotAllowed(NO_TAG)
            if instance_id:
                instance_id = free_instance(locked, instance_id)
            invitation = _new_invitation(locked, found, assessment, instance_id)
            case.invitations.append(invitation)
        Candidate.objects.point_to(invitation)
        # what waited or was offered gets the verdict that it has now
        own = Delivery.objects.filter(organization=locked, opportunity_id=opportunity.id)
        own.filter(verdict__in=[VerdictCode.ENTERED_BEFORE, VerdictCode.PAUSED]).decide_again()
        audit(invitation, actor, AuditAction.TAKE_OVER, {"instance_id": ("", instance_id)})
    return invitation


def _new_invitation(
    organization: Organization, found: Tagged, assessment: KnownAssessment, instance_id: str
) -> Invitation:
    """Return the stored row: followed with an instance; else one that may have been sent, which nothing sends again."""
    opportunity, shown, now = found.opportunity, found.facts.shown, database.now()
    has_begun = found.tag in Status.IN_PROGRESS.record.tags
    followed = {
        "status": Status.IN_PROGRESS if has_begun else Status.INVITED,
        "instance_id": instance_id,
        "invited_at": now,
        "started_at": now if has_begun else None,
        "next_poll_at": now,
    }
    known = {"status": Status.WITHDRAWN, "status_reason": TAKEN_OVER, "first_call_at": now}
    invitation = Invitation.objects.create(
        organization=organization,
        opportunity_id=opportunity.id,
        contact_id=opportunity.contact_id[:200],
        candidate_name=opportunity.name[:500],
        email=first_usable_email(opportunity.emails),
        role_id=shown.role_id[:200] if shown else "",
        role_title=shown.role_title[:300] if shown else "",
        stage_id=found.facts.stage_id[:200],
        stage_name=found.facts.stage_name[:300],
        assessment_id=assessment.id,
        assessment_name=assessment.name[:300],
        checked_at=now,
        **(followed if instance_id else known),
    )
    invitation.refresh_from_db()
    invitation.organization = organization
    return invitation
