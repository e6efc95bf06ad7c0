"""Who is on a candidate in Lever: read with the opportunity, and by calls of its own only where somebody needs it.

Only Limited Team Members depend on it, so what an opportunity doesn't show by itself is read where there are some.
"""

from collections.abc import Iterable

from django.core.cache import cache
from django.db.models import QuerySet

from integrations.clients.provider import ClientProvider
from integrations.http.errors import CallDeferred, PlatformError
from integrations.lever.client import LeverClient
from integrations.lever.payloads import Opportunity
from integrations.models import Membership, OpportunityPerson, Organization
from integrations.models.opportunity_person import People, Relation
from integrations.models.prepared import prepared

#: How long a Lever user's address is kept instead of being read again.
USER_KEPT_SECONDS = 24 * 3600


def people_shown(opportunity: Opportunity) -> People:
    """Return the people whom the opportunity shows by itself; nobody for a person who is anonymized."""
    if opportunity.is_anonymized:
        return dict.fromkeys(Relation, ())
    people: dict[Relation, Iterable[str]] = {}
    if opportunity.owner_email or not opportunity.owner_id:
        people[Relation.OWNER] = filter(None, [opportunity.owner_email])
    if opportunity.follower_emails is not None:
        people[Relation.FOLLOWER] = opportunity.follower_emails
    return people


def read_people(organization: Organization, opportunity: Opportunity, clients: ClientProvider) -> People:
    """Return everybody on the candidate. What Lever doesn't show now is left out: nothing else waits for it.

    Raises CallDeferred when no call may begin.
    """
    shown = people_shown(opportunity)
    if opportunity.is_anonymized or not _limited_members.exists(organization.pk):
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
    """Store whom the opportunities show by themselves; who hires and interviews stays as it was read."""
    read = {opportunity.id: people_shown(opportunity) for opportunity in opportunities}
    OpportunityPerson.objects.replace(organization, read)


@prepared
def _limited_members(organization_id: int) -> QuerySet[Membership, int]:
    limited = Membership.Role.LIMITED_TEAM_MEMBER
    members = Membership.objects.filter(organization=organization_id, role=limited).exclude(address="")
    return members.order_by().values_list("pk", flat=True)[:1]


def _address(organization: Organization, lever: LeverClient, user_id: str) -> str:
    """Return the e-mail address of a Lever user, at most a day old. Raises PlatformError."""
    key = f"lever-user-address:{organization.pk}:{user_id}"
    known = cache.get(key)
    if isinstance(known, str):
        return known
    address = lever.user(user_id).email
    cache.set(key, address, USER_KEPT_SECONDS)
    return address
