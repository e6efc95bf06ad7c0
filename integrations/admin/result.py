"""Results in the admin: what CodeScreen states about each attempt, and whether it is in Lever."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import indented, invitation_link
from integrations.admin.filters import OrganizationFilter
from integrations.admin.names import candidate_link
from integrations.admin.period import period_of
from integrations.admin.related_search import RelatedSearchMixin, SearchedRelation
from integrations.models import Result

RATINGS = range(1, 5)


class RatingFilter(admin.SimpleListFilter):
    """Filter results by rating. Django's own filter would look through all results for the ratings that there are."""

    title = "rating"
    parameter_name = "rating"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the ratings that Lever knows, and none."""
        return [("none", "No rating"), *((str(rating), str(rating)) for rating in RATINGS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Result]) -> QuerySet[Result]:
        """Keep the results with that rating."""
        match self.value():
            case None:
                return queryset
            case "none":
                return queryset.filter(rating__isnull=True)
            case rating if rating in map(str, RATINGS):
                return queryset.filter(rating=rating)
        return queryset.none()


@admin.register(Result)
class ResultAdmin(RelatedSearchMixin, ScopedAdmin):
    """The results of attempts."""

    list_display = (
        "created_at",
        "candidate",
        "invitation_link",
        "attempt",
        "outcome",
        "score_shown",
        "rating",
        "failure_reason",
        "is_in_lever",
        "organization",
    )
    list_filter = (period_of("created_at"), "outcome", RatingFilter, OrganizationFilter)
    list_select_related = ("invitation", "organization")
    list_defer = ("metadata",)
    search_fields = ("id__exact",)
    searched_relation = SearchedRelation("invitation", ("opportunity_id", "instance_id"))
    search_hint = "an opportunity's, instance's or result's id"
    ordering = ("-created_at", "-pk")
    fields = (
        "organization",
        "candidate",
        "invitation_link",
        "attempt",
        "outcome",
        "score_shown",
        "failure_reason",
        "rating",
        "report_url",
        "feedback_id",
        "file_id",
        "created_at",
        "metadata_shown",
    )
    readonly_fields = ("candidate", "invitation_link", "score_shown", "metadata_shown")

    @admin.display(description="score", ordering="score")
    def score_shown(self, result: Result) -> str:
        """Return the score as people write it."""
        return result.score_text

    @admin.display(description="in Lever", boolean=True)
    def is_in_lever(self, result: Result) -> bool:
        """Return whether the feedback was written."""
        return bool(result.feedback_id)

    @admin.display(description="candidate")
    def candidate(self, result: Result) -> str | SafeString:
        """Return a link to the candidate."""
        invitation = result.invitation
        return candidate_link(result.organization_id, invitation.opportunity_id, invitation.candidate_name)

    @admin.display(description="invitation")
    def invitation_link(self, result: Result) -> str | SafeString:
        """Return a link to the invitation."""
        return invitation_link(result.invitation)

    @admin.display(description="metadata")
    def metadata_shown(self, result: Result) -> str | SafeString:
        """Return what else CodeScreen states, redacted."""
        return indented(result.metadata)
