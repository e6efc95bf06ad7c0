"""Everything that the portal holds about one candidate who asks for it: the page, and the download."""

import json
import re
from dataclasses import dataclass
from typing import Any, Self

from django.http import Http404, HttpRequest, HttpResponse
from django.views.generic import TemplateView

from integrations.audit.models.entry import AuditAction
from integrations.invitations.models.candidate import Candidate
from integrations.members.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.privacy.acts import HeldData, HeldTable, held_data, record_subject_access
from integrations.store.personal import UNTIL_ERASED

#: Longer texts are shown on demand.
LONGEST = 160


class CandidateDataView(OrganizationMixin, TemplateView):
    """Show every value about the candidate, by the kind of record; a POST downloads them as JSON. Both are recorded."""

    template_name = "integrations/candidate_data.html"
    allowed_roles = ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        data = self._held_data(counts_mentions=False)
        record_subject_access(data, self.user, AuditAction.LOOK_AT_DATA)
        own = {"organization": self.organization, "opportunity_id": self.kwargs["opportunity_id"]}
        name = Candidate.objects.filter(**own).values_list("name", flat=True).first()
        kinds = [HeldKind.of(table) for table in data.tables]
        return super().get_context_data(
            data=data, kinds=kinds, usually=in_words(UNTIL_ERASED), name=name, **kwargs
        )

    def post(self, request: HttpRequest, opportunity_id: str) -> HttpResponse:
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


@dataclass(frozen=True)
class HeldValues:
    """What one column says about the person: what it is, and each text once; long ones are shown on demand."""

    what: str
    texts: list[str]
    long_texts: list[str]


@dataclass(frozen=True)
class HeldKind:
    """What the rows of one kind hold about the person; `lives` says how long, where that isn't usual."""

    held: HeldTable
    lives: str
    values: list[HeldValues]

    @classmethod
    def of(cls, held: HeldTable) -> Self:
        declared = held.declared
        values = []
        for column, what in declared.candidate.items():
            filled = (row[column] for row in held.rows if row[column] not in ("", {}, [], None))
            texts = list(dict.fromkeys(map(_text, filled)))
            short = [text for text in texts if len(text) <= LONGEST]
            if texts:
                values.append(HeldValues(what, short, [text for text in texts if text not in short]))
        return cls(held, "" if declared.lives == UNTIL_ERASED else in_words(declared.lives), values)


def in_words(lives: str) -> str:
    """Return how long a table's rows are kept, with the policy by what it means instead of its name."""
    return lives.replace("`retention_days`", "the time for which the organization keeps personal data")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
