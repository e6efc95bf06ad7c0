"""Which candidates a person sees: a Limited Team Member those they are on in Lever, everybody else all."""

from typing import Any

from django.db.models import QuerySet

from integrations.models import Membership, OpportunityPerson


def visible[Rows: QuerySet[Any]](rows: Rows, member: Membership, column: str = "opportunity_id") -> Rows:
    """Return those rows that are about candidates whom the member sees; `column` leads to the opportunity's id."""
    if member.sees_all_candidates:
        return rows
    own = OpportunityPerson.objects.seen_by(member).values("opportunity_id")
    return rows.filter(**{f"{column}__in": own})


def sees(member: Membership, opportunity_id: str) -> bool:
    """Whether the member sees this candidate."""
    if member.sees_all_candidates:
        return True
    return OpportunityPerson.objects.seen_by(member).filter(opportunity_id=opportunity_id).exists()
