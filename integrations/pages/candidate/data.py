"""What the portal holds about one candidate who asks for it: a page that they can read, and every row as a file."""

import json
import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.generic import TemplateView

from integrations.audit.models.entry import AuditAction
from integrations.codescreen.details import Detail, details_in_words
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.members.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.pages.candidate.events import decision_events
from integrations.pages.candidate.record import written_to_lever
from integrations.pages.candidate.rows import MOST, CandidateRows
from integrations.pages.views import count_act
from integrations.privacy.acts import HeldTable, held_data, record_subject_access
from integrations.privacy.data_inventory import PROCESSING

#: Acts that were only looks at this page, or downloads of it: they say nothing about the candidate.
_LOOKS = {AuditAction.LOOK_AT_DATA, AuditAction.SUBJECT_ACCESS}


class CandidateDataView(OrganizationMixin, TemplateView):
    """Show what is held about the candidate, to be read and printed; a POST downloads every row. Both are recorded."""

    template_name = "integrations/candidate_data.html"
    allowed_roles = ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        held = self._held_data(AuditAction.LOOK_AT_DATA)
        rows = CandidateRows(self.organization, self.kwargs["opportunity_id"], MOST)
        rows.actions = [one for one in rows.actions if one.action not in _LOOKS]
        written = written_to_lever(rows.newest_effects, rows.erasure)
        return super().get_context_data(
            rows=rows,
            part="data",
            assessments=[
                (invitation, _attempts(rows, invitation)) for invitation in reversed(rows.newest_invitations)
            ],
            written=[one for one in written if not one.is_replaced],
            events=decision_events(rows),
            held=held,
            processing=PROCESSING,
            erasure=rows.erasure,
            **kwargs,
        )

    def post(self, request: HttpRequest, opportunity_id: str) -> HttpResponse:
        tables = [table.to_json() for table in self._held_data(AuditAction.SUBJECT_ACCESS)]
        name = re.sub(r"[^\w-]", "-", opportunity_id, flags=re.ASCII)
        return HttpResponse(
            json.dumps({"opportunity_id": opportunity_id, "tables": tables}, ensure_ascii=False, indent=2),
            content_type="application/json; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="candidate-{name}.json"'},
        )

    def _held_data(self, action: AuditAction) -> list[HeldTable]:
        """Return what is held, and record it.

        Raises Http404 when this organization has no row about the person, and Busy.
        """
        opportunity_id = self.kwargs["opportunity_id"]
        held = held_data(self.organization, opportunity_id)
        if not held:
            raise Http404("No such candidate here.")
        count_act(self.user)
        record_subject_access(self.organization, opportunity_id, held, self.user, action)
        return held


def _attempts(rows: CandidateRows, invitation: Invitation) -> list[tuple[Result, list[Detail]]]:
    """Return the results of an invitation, each with what else CodeScreen said."""
    return [(one, details_in_words(one.details)) for one in rows.attempts.get(invitation.pk, [])]
