"""The page of one candidate: their invitations, latest verdict and timeline across both platforms."""

from typing import Any

from django.http import Http404
from django.utils import timezone

from integrations.models import Erasure, Invitation
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.rows import invitation_rows, with_later_round
from integrations.pages.activity.timeline import MOST, NEWEST, is_cut, latest_verdict, timeline
from integrations.pages.partials import PartialsMixin
from integrations.pages.visibility import sees


class CandidateView(OrganizationMixin, PartialsMixin):
    """Show everything the portal knows about one opportunity; 404 when the person sees no row of it."""

    template_name = "integrations/candidate.html"
    partials = {"timeline": "integrations/_timeline.html"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the candidate's rows."""
        opportunity_id: str = self.kwargs["opportunity_id"]
        if not sees(self.membership, opportunity_id):
            raise Http404("No such candidate here.")
        own = Invitation.objects.filter(organization=self.organization, opportunity_id=opportunity_id)
        invitations = list(with_later_round(own).order_by("-created_at", "-pk")[:MOST])
        most = MOST if "all" in self.request.GET else NEWEST
        entries = timeline(self.organization, opportunity_id, invitations, most)
        if not entries and not invitations:
            raise Http404("No such candidate here.")
        names = (invitation.candidate_name for invitation in invitations)
        return super().get_context_data(
            candidate_name=next(filter(None, names), ""),
            rows=invitation_rows(invitations),
            entries=entries,
            shown_of_each=most,
            is_cut=is_cut(entries, most),
            may_show_more=most < MOST,
            latest_verdict=latest_verdict(entries),
            erasure=Erasure.objects.filter(
                organization=self.organization, opportunity_id=opportunity_id
            ).first(),
            now=timezone.now(),
            **kwargs,
        )
