"""The lists of `/api/v1/`: for each its rows, and what an address may state of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from integrations.api.models import ApiScope
from integrations.api.rows import CandidateRow, FindingRow, InvitationRow, ResultRow, VerdictRow
from integrations.core.finding_code import Level
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ResultOutcome
from integrations.health import doctor
from integrations.health.findings import Finding
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization

LARGEST_PAGE = 1000
#: As large as a key of any database may be.
_LARGEST_KEY = 10**18 - 1


def _text(source: str | None = None) -> serializers.CharField:
    return serializers.CharField(required=False, max_length=300, source=source)


def _choice(choices: Iterable[tuple[str, str]]) -> serializers.ChoiceField:
    return serializers.ChoiceField(required=False, choices=list(choices))


class Query(serializers.Serializer[Any]):
    """What an address may state of any list; a subclass adds the list's own filters, each with its lookup."""

    cursor = serializers.CharField(required=False, help_text="Where the page begins: as `next` has it.")
    limit = serializers.IntegerField(
        required=False,
        default=100,
        min_value=1,
        max_value=LARGEST_PAGE,
        help_text="How many rows a page has.",
    )
    updated_since = serializers.DateTimeField(
        required=False,
        default_timezone=UTC,
        help_text="Only rows that changed since then: the `updated_until` of the pages that were read before.",
        error_messages={
            "invalid": "Write it as 2027-01-31T08:00:00Z. In an address, a plus sign is written %2B.",
        },
    )

    def to_internal_value(self, data: Any) -> Any:
        """Return what is stated, by lookup. Raises ValidationError, also for a parameter that there isn't."""
        if unknown := sorted(set(data) - set(self.fields)):
            there_are = f"There is no such parameter. There are: {', '.join(self.fields)}."
            raise serializers.ValidationError({name: [there_are] for name in unknown})
        return super().to_internal_value(data)


class CandidateQuery(Query):
    """Filters of candidates."""

    opportunity_id = _text()
    role = _text("role_title")
    stage = _text("stage_name")
    assessment = _text("assessment_name")
    outcome = _choice(ResultOutcome.choices())
    not_invited = serializers.BooleanField(required=False, source="invitation__isnull")


class InvitationQuery(Query):
    """Filters of invitations."""

    opportunity_id = _text()
    assessment = _text("assessment_name")
    status = _choice(InvitationStatus.choices())


class ResultQuery(Query):
    """Filters of results."""

    opportunity_id = _text("invitation__opportunity_id")
    invitation_id = serializers.IntegerField(required=False, min_value=1, max_value=_LARGEST_KEY)
    outcome = _choice(ResultOutcome.choices())


class VerdictQuery(Query):
    """Filters of verdicts."""

    opportunity_id = _text("delivery__opportunity_id")
    code = _choice(VerdictCode.choices())
    is_current = serializers.BooleanField(required=False)


class FindingQuery(Query):
    """Filters of findings. They are what holds now, so that the page is always the first and only one."""

    code = _text()
    level = _choice(Level.choices())


@dataclass(frozen=True)
class ApiList:
    """One list: the shape of a row, what an address may state, and the organization's rows, which have keys."""

    scope: ApiScope
    what: str
    row: type[serializers.BaseSerializer[Any]]
    query: type[Query]
    rows: Callable[[Organization], QuerySet[Any]] | None = None


def _verdicts(organization: Organization) -> QuerySet[Verdict]:
    verdicts = Verdict.objects.filter(organization=organization).select_related("delivery")
    return verdicts.defer("delivery__payload", "delivery__traceback")


def findings(organization: Organization, filters: dict[str, Any]) -> Sequence[Finding]:
    """Return the findings of now that the filters state."""
    return [
        one
        for one in doctor.findings(organization)
        if all(getattr(one, name) == value for name, value in filters.items())
    ]


LISTS = (
    ApiList(
        ApiScope.CANDIDATES,
        "Everyone who entered a CodeScreen stage, invited or not: one row for each opportunity in Lever.",
        CandidateRow,
        CandidateQuery,
        lambda organization: Candidate.objects.filter(organization=organization),
    ),
    ApiList(
        ApiScope.INVITATIONS,
        "How far candidates are with their assessments.",
        InvitationRow,
        InvitationQuery,
        lambda organization: Invitation.objects.filter(organization=organization),
    ),
    ApiList(
        ApiScope.RESULTS,
        "What CodeScreen states, one row for each attempt.",
        ResultRow,
        ResultQuery,
        lambda organization: Result.objects.filter(organization=organization),
    ),
    ApiList(
        ApiScope.VERDICTS,
        "What was decided about each stage change, and why. Earlier verdicts stay, with `is_current` false.",
        VerdictRow,
        VerdictQuery,
        _verdicts,
    ),
    ApiList(
        ApiScope.FINDINGS,
        "What a person should know about the set-up and the operation now, on one page, the worst first. What is "
        "over isn't in it any more; `updated_since` changes nothing.",
        FindingRow,
        FindingQuery,
    ),
)
