"""Everything that the portal holds about one candidate who asks for it: the page, and the download."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.generic import TemplateView

from integrations.audit.models.entry import AuditAction
from integrations.data_inventory import Table
from integrations.invitations.models.candidate import Candidate
from integrations.members.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.privacy.acts import HeldData, held_data, record_subject_access


class CandidateDataView(OrganizationMixin, TemplateView):
    """Show every row about the candidate, table by table; a POST downloads them as JSON. Both are recorded."""

    template_name = "integrations/candidate_data.html"
    allowed_roles = ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show each column with personal data as text."""
        data = self._held_data(counts_mentions=False)
        record_subject_access(data, self.user, AuditAction.LOOK_AT_DATA)
        tables = [
            (held, in_words(held.declared.lives), [_personal(held.declared, row) for row in held.rows])
            for held in data.tables
        ]
        own = {"organization": self.organization, "opportunity_id": self.kwargs["opportunity_id"]}
        name = Candidate.objects.filter(**own).values_list("name", flat=True).first()
        return super().get_context_data(data=data, tables=tables, name=name, **kwargs)

    def post(self, request: HttpRequest, opportunity_id: str) -> HttpResponse:
        """Return the file."""
        data = self._held_data(counts_mentions=True)
        record_subject_access(data, self.user)
        name = re.sub(r"[^\w-]", "-", opportunity_id, flags=re.ASCII)
        return HttpResponse(
            json.dumps(data.to_json(), ensure_ascii=False, indent=2),
            content_type="application/json; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="candidate-{name}.json"'},
        )

    def _held_data(self, *, counts_mentions: bool) -> HeldData:
        """Return what is held. Raises Http404 when this organization has no row about the opportunity."""
        opportunity_id = self.kwargs["opportunity_id"]
        found = held_data(self.organization, opportunity_id, counts_mentions=counts_mentions)
        if found is None:
            raise Http404("No such candidate here.")
        return found


def in_words(lives: str) -> str:
    """Return how long a table's rows are kept, with the policy by what it means instead of its name."""
    return lives.replace("`retention_days`", "the time for which the organization keeps personal data")


def _personal(table: Table, row: Mapping[str, object]) -> tuple[object, list[tuple[str, str]]]:
    """Return the key of a row, and its columns with personal data that aren't empty."""
    held = [(name, _text(row[name])) for name in table.candidate if row[name] not in ("", {}, [], None)]
    return row[table.model._meta.pk.attname], held


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
