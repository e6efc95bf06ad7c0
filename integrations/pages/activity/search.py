"""Candidates by what somebody types or chooses: a name, an address, a link to Lever; a role."""

import re

from django.db.models import Q

from integrations.catalog.models.platform_lists import Role
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization

#: As a role, an origin or an owner: those without one.
NONE = "none"
#: The address of a candidate's page in Lever, such as https://hire.lever.co/candidates/<id>.
_LEVER_LINK = re.compile(
    r"https?://[^/\s]+/(?:[^?#\s]*/)?(?:candidates|opportunities)/([^/?#\s]+)", re.IGNORECASE
)


def matching_candidates(organization: Organization, query: str) -> Q:
    """Return the condition for candidates by name, address, role, assessment, id or a link to Lever's page; one query.

    A condition over two tables that are joined could use no index. So the invitation that matches is found first.
    """
    link = _LEVER_LINK.match(query)
    opportunity = link[1] if link else query
    instances = Invitation.objects.filter(instance_id=query, organization=organization)
    return (
        Q(name__icontains=query)
        | Q(email__icontains=query)
        | Q(role_title__icontains=query)
        | Q(assessment_name__icontains=query)
        # Lever writes its ids in small letters
        | Q(opportunity_id__in={opportunity, opportunity.lower()})
        | Q(invitation__in=list(instances.values_list("pk", flat=True)))
    )


def role_titles(organization: Organization) -> dict[str, str]:
    """Return the titles of the roles by their ids: a candidate is counted under it, and `has_role` finds them by it."""
    return dict(Role.objects.filter(organization=organization).values_list("external_id", "title"))


def has_role(organization: Organization, title: str) -> Q:
    """Return the condition for candidates of the roles with this title; one query."""
    if title == NONE:
        return Q(role_title="")
    roles = Role.objects.filter(organization=organization, title=title)
    ids = list(roles.values_list("external_id", flat=True))
    return Q(role_id__in=ids) if ids else Q(role_title=title)
