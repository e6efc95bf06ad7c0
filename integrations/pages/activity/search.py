"""What the search above the activity's lists finds: by a name, a role, an assessment, an id, or an explanation's words.

A condition over two tables that are joined could use no index. So the invitations that match are found first.
"""

from django.db.models import Q

from integrations.models import Invitation, Organization
from integrations.models.delivery import EXPLAINED

#: Deliveries and effects are found by so many invitations that match, the newest.
MOST = 2_000


def matching_invitations(query: str) -> Q:
    """Return the condition for invitations."""
    return (
        Q(role_title__icontains=query)
        | Q(assessment_name__icontains=query)
        | Q(candidate_name__icontains=query)
        | _has_opportunity(query)
        | Q(instance_id=query)
    )


def matching_by_invitation(organization: Organization, query: str) -> Q:
    """Return the condition for rows that belong to an invitation or to an opportunity; one query.

    Of more invitations than MOST the newest count.
    """
    matching = Invitation.objects.filter(matching_invitations(query), organization=organization)
    keys = matching.order_by("-created_at", "-pk").values_list("pk", flat=True)
    return Q(invitation__in=list(keys[:MOST])) | _has_opportunity(query)


def matching_deliveries(organization: Organization, query: str) -> Q:
    """Return the condition for deliveries; one query.

    The explanation is searched where it says something about the candidate that an invitation doesn't.
    """
    return matching_by_invitation(organization, query) | (EXPLAINED & Q(explanation__icontains=query))


def _has_opportunity(query: str) -> Q:
    """Return the condition for an opportunity; Lever writes its ids in small letters."""
    return Q(opportunity_id__in={query, query.lower()})
