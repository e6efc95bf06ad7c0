"""What the search above the lists finds: by name, role, assessment, id, a Lever link, or an explanation's words.

A condition over two tables that are joined could use no index. So the rows that match are found first.
"""

import re

from django.db.models import Q

from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization

#: Deliveries and effects are searched by the newest candidates and invitations that match, at most this many.
MOST = 2_000
#: The address of a candidate's page in Lever, such as https://hire.lever.co/candidates/<id>.
_LEVER_LINK = re.compile(
    r"https?://[^/\s]+/(?:[^?#\s]*/)?(?:candidates|opportunities)/([^/?#\s]+)", re.IGNORECASE
)


def opportunity_in(query: str) -> str:
    """Return the opportunity's id in a pasted address of Lever's page about the candidate, else the query itself."""
    link = _LEVER_LINK.match(query)
    return link[1] if link else query


def matching_candidates(organization: Organization, query: str) -> Q:
    """Return the condition for candidates; one query."""
    instances = Invitation.objects.filter(instance_id=query, organization=organization)
    return _is_candidate(query) | Q(invitation__in=list(instances.values_list("pk", flat=True)))


def _is_candidate(query: str) -> Q:
    return (
        Q(name__icontains=query)
        | Q(email__icontains=query)
        | Q(role_title__icontains=query)
        | Q(assessment_name__icontains=query)
        | _has_opportunity(query)
    )


def _has_opportunity(query: str) -> Q:
    """Return the condition for an opportunity; Lever writes its ids in small letters."""
    opportunity = opportunity_in(query)
    return Q(opportunity_id__in={opportunity, opportunity.lower()})
