"""Inviting many who got no assessment: whom the list offers, and what would become of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from integrations.invitation_status import InvitationStatus
from integrations.models import Actor, Candidate, Invitation, Membership
from integrations.models.candidate import CandidateQuerySet
from integrations.pages.activity.bulk_rows import BulkRow
from integrations.pages.activity.candidate_filters import CandidateFilters, CandidateSearch
from integrations.pages.visibility import visible
from integrations.queue import on_request
from integrations.verdict_code import CORRECTABLE_VERDICTS, WAITING_VERDICTS, VerdictCode
from integrations.workflow.catalog.lookup import live_assessments

#: So many are looked at at once: each may have to be read from Lever while somebody waits.
MOST_INVITED = 50
#: Whom “all that match” means: those about whom something can be done. Others can be ticked.
_VERDICTS = [*(set(CORRECTABLE_VERDICTS) - set(WAITING_VERDICTS)), VerdictCode.ENTERED_BEFORE]
#: So many of the invitations that failed are looked at, the newest.
_MOST_FAILED = 1_000


@dataclass(frozen=True)
class InvitePreview:
    """Who would be invited and to what, who would not and why, and the assessments to choose from."""

    rows: Sequence[BulkRow] = ()
    left_out: Sequence[BulkRow] = ()
    assessments: Sequence[tuple[str, str]] = ()
    chosen: str = ""
    is_cut: bool = False


def preview_of(member: Membership, found: Sequence[Candidate], chosen: str, actor: Actor) -> InvitePreview:
    """Return what inviting these candidates would lead to, each as the portal would decide now."""
    organization = member.organization
    assessments = [(one.id, one.name) for one in live_assessments(organization)]
    chosen = chosen if chosen in dict(assessments) else ""
    looked_at = found[:MOST_INVITED]
    would = on_request.preview_invitations(organization, looked_at, actor, chosen)
    rows, left_out = list[BulkRow](), list[BulkRow]()
    for candidate in looked_at:
        it = would[candidate.pk]
        row = BulkRow(candidate.pk, it.sends or it.why_not, candidate, candidate.opportunity_id, it.note)
        (rows if it.sends else left_out).append(row)
    return InvitePreview(rows, left_out, assessments, chosen, len(found) > MOST_INVITED)


def ticked(member: Membership, keys: Sequence[int], held: Sequence[int]) -> list[Candidate]:
    """Return the candidates with these keys, and those whose invitation on hold was ticked beside them."""
    return _read(_own(member).filter(Q(pk__in=keys) | Q(invitation__in=held)))


def matching(member: Membership, filters: CandidateFilters) -> list[Candidate]:
    """Return those whom the filters show and somebody can do something about, latest entry first."""
    rows = CandidateSearch(member, filters).rows()
    uninvited = rows.not_invited().filter(delivery__verdict__in=_VERDICTS, delivery__due_at__isnull=True)
    # each by its own index: a condition over both could use none
    failed = Invitation.objects.filter(organization=member.organization, status=InvitationStatus.FAILED)
    keys = list(failed.order_by("-created_at", "-pk").values_list("pk", flat=True)[:_MOST_FAILED])
    found = [*_read(uninvited), *_read(rows.filter(invitation__in=keys))]
    return sorted(found, key=lambda one: (one.entered_at, one.pk), reverse=True)[: MOST_INVITED + 1]


def _own(member: Membership) -> CandidateQuerySet:
    return visible(Candidate.objects.filter(organization=member.organization), member)


def _read(rows: CandidateQuerySet) -> list[Candidate]:
    # with the delivery's payload, by which it is decided
    whole = rows.select_related(None).defer(None).select_related("delivery", "invitation", "organization")
    return list(whole.order_by("-entered_at", "-pk")[: MOST_INVITED + 1])
