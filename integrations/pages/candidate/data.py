"""Everything that the portal holds about one candidate who asks for it: the page, and the download."""

import json
import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.generic import TemplateView

from integrations.audit.models.entry import AuditAction
from integrations.invitations.models.candidate import Candidate
from integrations.members.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.pages.views import count_act
from integrations.privacy.acts import HeldTable, held_data, record_subject_access
from integrations.privacy.models import Erasure


class CandidateDataView(OrganizationMixin, TemplateView):
    """Show every value about the candidate, by the kind of record; a POST downloads them as JSON. Both are recorded."""

    template_name = "integrations/candidate_data.html"
    allowed_roles = ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        held = self._held_data(AuditAction.LOOK_AT_DATA)
        own = {"organization": self.organization, "opportunity_id": self.kwargs["opportunity_id"]}
        return super().get_context_data(
            tables=[(table, _values(table)) for table in held],
            erasure=Erasure.objects.filter(**own).first(),
            name=Candidate.objects.filter(**own).values_list("name", flat=True).first(),
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


def _values(held: HeldTable) -> list[tuple[str, list[str]]]:
    """Return what each column says about the person: what it is, and each text once."""
    values = []
    for column, what in held.declared.candidate.items():
        filled = (row[column] for row in held.rows if row[column] not in ("", {}, [], None))
        values.append((what, list(dict.fromkeys(map(_text, filled)))))
    return [(what, texts) for what, texts in values if texts]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
