"""The page of one candidate."""

from typing import Any

from django.http import Http404

from integrations.inbox.models.verdict import next_step
from integrations.inbox.today import Today
from integrations.members.models.membership import Membership
from integrations.pages.access import OrganizationMixin, sees, visible
from integrations.pages.activity.rows import candidate_rows
from integrations.pages.candidate.card import (
    card_of_candidate,
    card_of_invitation,
    journey,
    later_verdict,
)
from integrations.pages.candidate.events import events
from integrations.pages.candidate.offer import offer
from integrations.pages.candidate.record import technical_record, written_to_lever
from integrations.pages.candidate.rows import MOST, NEWEST, CandidateRows
from integrations.pages.views import PartialsMixin

TECHNICAL = "technical"
#: Of the person's other applications, so many are shown, the latest first.
MOST_APPLICATIONS = 10


class CandidateView(OrganizationMixin, PartialsMixin):
    """Show everything the portal knows about one opportunity; 404 when the person sees no row of it.

    `?show=technical` shows the technical record instead of the story.
    """

    template_name = "integrations/candidate.html"
    partials = {
        "story": "integrations/_candidate_story.html",
        TECHNICAL: "integrations/_candidate_technical.html",
    }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        opportunity_id: str = self.kwargs["opportunity_id"]
        if not sees(self.membership, opportunity_id):
            raise Http404("No such candidate here.")
        most = MOST if "all" in self.request.GET else NEWEST
        rows = CandidateRows(self.organization, opportunity_id, most)
        if not rows.exist:
            raise Http404("No such candidate here.")
        is_technical = self.request.GET.get("show") == TECHNICAL
        shown = _technical(rows) if is_technical else _story(rows, self.membership)
        if not self.partial:  # what stands above the part that updates
            others = visible(rows.other_applications(), self.membership)[:MOST_APPLICATIONS]
            shown["applications"] = candidate_rows(others, Today(self.organization))
        lever_page = self.organization.lever_region.candidate_page(opportunity_id)
        return super().get_context_data(
            rows=rows,
            part=TECHNICAL if is_technical else "story",
            lever_page=lever_page if rows.is_in_lever else "",
            report_url=rows.report_url,
            shown_of_each=most,
            may_show_more=most < MOST,
            **shown,
            **kwargs,
        )


def _technical(rows: CandidateRows) -> dict[str, Any]:
    record = technical_record(rows)
    return {"entries": record.entries, "is_cut": record.is_cut}


def _story(rows: CandidateRows, member: Membership) -> dict[str, Any]:
    card = card_of_candidate(rows)
    others = [card_of_invitation(rows, one) for one in rows.newest_invitations[1:]]
    written = written_to_lever(rows.newest_effects, rows.erasure)
    return {
        "card": card,
        "offer": offer(rows, card, member),
        "steps": journey(rows, card),
        "later_verdict": (later := later_verdict(rows)),
        "later_step": next_step(later.code) if later else "",
        "others": [(one, offer(rows, one, member, is_main=False)) for one in others],
        "written": [one for one in written if not one.is_replaced],
        "replaced": [one for one in written if one.is_replaced],
        "events": events(rows),
        "is_cut": rows.is_cut,
    }
