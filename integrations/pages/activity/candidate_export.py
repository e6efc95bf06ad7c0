"""The candidates that match the filters, as CSV."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import batched

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from integrations.invitations.models.candidate import CandidateQuerySet
from integrations.members.models.membership import TEAM
from integrations.pages.activity.candidate_filters import CandidateFilters, CandidateSearch
from integrations.pages.activity.rows import CandidateRow, candidate_rows
from integrations.pages.list_export import ListExport

COLUMNS = (
    "entered at (UTC)",
    "name",
    "e-mail address",
    "role",
    "stage",
    "assessment",
    "outcome",
    "result",
    "next",
    "why",
    "invited at (UTC)",
    "completed at (UTC)",
    "opportunity id",
)
READ_AT_ONCE = 500


class CandidateExportView(ListExport):
    """Stream the candidates that the filters show, for members who see all of them."""

    list_name = "candidates"
    allowed_roles = TEAM

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        """Return the file."""
        rows = CandidateSearch(self.membership, CandidateFilters.of_address(request.GET)).rows()
        filename = f"candidates-{self.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
        # the query is built already, because the time zone of its days is not active while the answer is streamed
        return self.file(filename, COLUMNS, _lines(rows), rows.count())


def _lines(candidates: CandidateQuerySet) -> Iterator[tuple[object, ...]]:
    for some in batched(candidates.iterator(chunk_size=READ_AT_ONCE), READ_AT_ONCE):
        for row in candidate_rows(some):
            yield _line(row)


def _line(row: CandidateRow) -> tuple[object, ...]:
    candidate, invitation = row.candidate, row.candidate.invitation
    return (
        _time(candidate.entered_at),
        candidate.name,
        candidate.email,
        candidate.role_title,
        candidate.stage_name,
        candidate.assessment_name,
        row.standing.whole,
        row.result,
        row.standing.next,
        row.explanation,
        _time(invitation.invited_at if invitation else None),
        _time(invitation.completed_at if invitation else None),
        candidate.opportunity_id,
    )


def _time(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at else ""
