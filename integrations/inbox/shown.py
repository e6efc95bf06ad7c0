"""What a decision needs of Lever about a candidate, kept at each reading: so it can be decided again without a call."""

from collections.abc import Sequence

from integrations.core.rules.facts import CandidateSnapshot, first_usable_email
from integrations.core.rules.mappings import Categories
from integrations.core.rules.names import assessment_tags
from integrations.core.vocabulary import Origin
from integrations.http.json_values import JsonObject
from integrations.invitations.models.candidate import Candidate
from integrations.lever.payloads import Opportunity
from integrations.organizations.models.organization import Organization


def shown_of(opportunity: Opportunity) -> JsonObject:
    """Return what the columns of a candidate don't have; of the tags only those that name an assessment."""
    return {
        "contact_id": opportunity.contact_id,
        "tags": [tag for tag in opportunity.tags if assessment_tags([tag])],
        "is_archived": opportunity.is_archived,
        "may_contact": opportunity.may_contact,
    }


def kept_snapshot(
    candidate: Candidate, stage_name: str, role_title: str, categories: Categories
) -> CandidateSnapshot:
    """Return a candidate as Lever last showed them, in a role as it is now."""
    shown = candidate.shown
    return CandidateSnapshot(
        stage_id=candidate.stage_id,
        stage_name=stage_name,
        role_id=candidate.role_id,
        role_title=role_title,
        categories=categories,
        tags=tuple(shown.get("tags", ())),
        emails=(candidate.email,) if candidate.email else (),
        is_archived=bool(shown.get("is_archived")),
        may_contact=bool(shown.get("may_contact", True)),
        origin=Origin(candidate.origin) if candidate.origin else None,
    )


def store_shown(organization: Organization, listed: Sequence[Opportunity]) -> None:
    """Keep what a list shows of candidates who have no invitation: what stopped one may be corrected in Lever."""
    read = {opportunity.id: opportunity for opportunity in listed if not opportunity.is_anonymized}
    known = Candidate.objects.filter(organization=organization, opportunity_id__in=list(read))
    for candidate in known.not_invited().filter(erased_at__isnull=True).exclude(stage_id=""):
        opportunity = read[candidate.opportunity_id]
        shown = {
            "email": first_usable_email(opportunity.emails),
            "origin": opportunity.origin if opportunity.origin in list(Origin) else "",
            "stage_id": opportunity.stage_id[:200],
            "shown": shown_of(opportunity),
        }
        if any(getattr(candidate, name) != value for name, value in shown.items()):
            # not where it was erased or decided meanwhile
            same = Candidate.objects.filter(pk=candidate.pk, erased_at__isnull=True)
            same.filter(delivery=candidate.delivery_id).update(**shown)
