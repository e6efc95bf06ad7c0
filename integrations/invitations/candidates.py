"""A candidate as the rules see them, and who is on a candidate in Lever."""

from collections.abc import Iterable

from django.db.models.functions import Now

from integrations import signed_cache
from integrations.catalog.lists import live_assessments, role_title
from integrations.catalog.stages import mapping_index
from integrations.clients.provider import ClientProvider
from integrations.core.rules.decide import choose_assessment
from integrations.core.rules.facts import CandidateSnapshot, Facts
from integrations.core.rules.names import KnownAssessment
from integrations.core.vocabulary import DeliveryEvent
from integrations.duty_budget import Budget
from integrations.http.errors import CallDeferred, PlatformError
from integrations.invitations.models.candidate import Candidate, OpportunityPerson, People, Relation
from integrations.lever.client import LeverClient
from integrations.lever.payloads import Opportunity
from integrations.organizations.models.organization import Organization
from integrations.store.questions import has_limited_members

# A candidate as the rules see them, and the assessment that their present stage leads to.


def candidate_snapshot(
    organization: Organization, opportunity: Opportunity, stage_name: str, clients: ClientProvider
) -> CandidateSnapshot:
    """Return what an opportunity that was just read shows of the candidate. Raises PlatformError."""
    return CandidateSnapshot(
        stage_id=opportunity.stage_id,
        stage_name=stage_name,
        role_id=opportunity.posting_id,
        role_title=role_title(organization, opportunity.posting_id, clients),
        tags=opportunity.tags,
        emails=opportunity.emails,
        is_archived=opportunity.is_archived,
        is_anonymized=opportunity.is_anonymized,
        may_contact=opportunity.may_contact,
    )


def leads_to(
    assessment: KnownAssessment,
    organization: Organization,
    opportunity: Opportunity,
    stage_name: str,
    clients: ClientProvider,
) -> bool:
    """Whether the stage that the candidate is in leads to this assessment and no other. Raises PlatformError."""
    candidate = candidate_snapshot(organization, opportunity, stage_name, clients)
    facts = Facts(
        event=DeliveryEvent.STAGE_CHANGE,
        stage_prefix=organization.stage_prefix,
        stage_id=candidate.stage_id,
        stage_name=stage_name,
        candidate=candidate,
        mappings=mapping_index(organization),
        assessments=(*live_assessments(organization), assessment),
        default_assessment=organization.default_assessment,
    )
    if not facts.trigger_policy.is_trigger(candidate.stage_id, stage_name):
        return False
    match = choose_assessment(facts, candidate)
    return match is not None and [found.id for found in match.found] == [assessment.id]


# Who is on a candidate in Lever: read and stored only where Limited Team Members depend on it.
#
# When the first of them appears, a full sweep reads it of the candidates that are known; when the last has left, it
# is deleted.


#: How long a Lever user's address is kept instead of being read again.
USER_KEPT_SECONDS = 24 * 3600
#: In a full sweep's place: the last candidate whose people were read.
PEOPLE_READ = "people"


def people_shown(opportunity: Opportunity) -> People:
    """Return the people that the opportunity itself shows; nobody for a person who is anonymized."""
    if opportunity.is_anonymized:
        return dict.fromkeys(Relation, ())
    people: dict[Relation, Iterable[str]] = {}
    if opportunity.owner_email or not opportunity.owner_id:
        people[Relation.OWNER] = filter(None, [opportunity.owner_email])
    if opportunity.follower_emails is not None:
        people[Relation.FOLLOWER] = opportunity.follower_emails
    return people


def read_people(organization: Organization, opportunity: Opportunity, clients: ClientProvider) -> People:
    """Return everybody on the candidate, nothing where nobody depends on it.

    What Lever doesn't show now is left out: nothing else waits for it. Raises CallDeferred when no call may begin.
    """
    if not has_limited_members(organization.pk):
        return {}
    shown = people_shown(opportunity)
    if opportunity.is_anonymized:
        return shown
    lever = clients.lever()
    people = dict(shown)
    try:
        people[Relation.HIRING_MANAGER] = [
            _address(organization, lever, user) for user in opportunity.hiring_managers
        ]
        people[Relation.INTERVIEWER] = list(lever.interviewers(opportunity.id))
    except CallDeferred:
        raise
    except PlatformError:
        pass  # also where the grant doesn't include it
    return people


def store_people(organization: Organization, opportunity: Opportunity, people: People) -> None:
    """Store who is on the candidate."""
    OpportunityPerson.objects.replace(organization, {opportunity.id: people})


def store_people_shown(organization: Organization, opportunities: Iterable[Opportunity]) -> None:
    """Store the people that the opportunities themselves show; who hires and interviews stays as it was read.

    Nothing is stored where nobody depends on it.
    """
    if not has_limited_members(organization.pk):
        return
    read = {opportunity.id: people_shown(opportunity) for opportunity in opportunities}
    OpportunityPerson.objects.replace(organization, read)


def read_missing_people(organization: Organization, clients: ClientProvider, budget: Budget) -> None:
    """Read once who is on each known candidate; delete all where nobody depends on it any more.

    Raises PlatformError, and CallDeferred when the turn is over before all are read.
    """
    candidates = Candidate.objects.filter(organization=organization)
    if not has_limited_members(organization.pk):
        OpportunityPerson.objects.filter(organization=organization).delete()
        candidates.filter(people_read_at__isnull=False).update(people_read_at=None)
        return
    missing = candidates.filter(people_read_at__isnull=True, erased_at__isnull=True)
    after = str(budget.place.get(PEOPLE_READ, ""))
    ids = missing.filter(opportunity_id__gt=after).order_by("opportunity_id")
    for opportunity_id in list(ids.values_list("opportunity_id", flat=True)):
        try:
            opportunity = clients.lever().opportunity(opportunity_id)
        except PlatformError as error:
            if error.status not in {400, 403, 404}:  # 400: a webhook's id that can't be one of Lever's
                raise
        else:
            store_people(organization, opportunity, read_people(organization, opportunity, clients))
        # also of one that Lever hides: once it shows them, a decision reads it
        candidates.filter(opportunity_id=opportunity_id).update(people_read_at=Now())
        budget.part_done({PEOPLE_READ: opportunity_id})


def _address(organization: Organization, lever: LeverClient, user_id: str) -> str:
    """Return the e-mail address of a Lever user, at most a day old. Raises PlatformError."""
    key = f"lever-user-address:{organization.pk}:{user_id}"
    known = signed_cache.get(key, USER_KEPT_SECONDS)
    if known is None:
        known = {"address": lever.user(user_id).email}
        signed_cache.store(key, known, USER_KEPT_SECONDS)
    return str(known["address"])
