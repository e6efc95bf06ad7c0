"""The names of the candidates that rows are about."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation

#: A candidate: the organization's id and Lever's id of the opportunity.
type CandidateKey = tuple[int, str]


def names_of(candidates: Iterable[CandidateKey]) -> dict[CandidateKey, str]:
    """Return the names of those candidates whose names are known, by a query or two."""
    wanted = {key for key in candidates if key[1]}
    if not wanted:
        return {}
    names = _names(Candidate.objects.exclude(name=""), "name", wanted)
    if missing := wanted - names.keys():  # who was invited again by hand, or before candidates were kept
        names |= _names(Invitation.objects.exclude(candidate_name=""), "candidate_name", missing)
    return names


def _names(rows: QuerySet[Any], column: str, wanted: set[CandidateKey]) -> dict[CandidateKey, str]:
    own = rows.filter(
        opportunity_id__in={opportunity_id for _, opportunity_id in wanted},
        organization__in={organization_id for organization_id, _ in wanted},
    )
    found = own.order_by("pk").values_list("organization_id", "opportunity_id", column)
    return {(organization, one): name for organization, one, name in found if (organization, one) in wanted}
