"""Candidates by name instead of Lever's ids, and searches by what is written in the row that a row belongs to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.admin.access import staff_memberships, visible
from integrations.admin.display import NOTHING
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation

#: A candidate: the organization's id and Lever's id of the opportunity.
type CandidateKey = tuple[int, str]
#: So many candidates with a name that is searched for are looked up.
MOST_NAMED = 200


def names_of(candidates: Iterable[CandidateKey]) -> dict[CandidateKey, str]:
    """Return the names of those candidates whose names are known, by a query or two."""
    wanted = {key for key in candidates if key[1]}
    if not wanted:
        return {}
    names = _names(Candidate.objects.exclude(name=""), "name", wanted)
    if missing := wanted - names.keys():  # who was invited again by hand, or before candidates were kept
        names |= _names(Invitation.objects.exclude(candidate_name=""), "candidate_name", missing)
    return names


def _names(rows: QuerySet[Any], column: str, wanted: set[CandidateKey]) -> dict[CandidateKey, str]:
    own = rows.filter(
        opportunity_id__in={opportunity_id for _, opportunity_id in wanted},
        organization__in={organization_id for organization_id, _ in wanted},
    )
    found = own.order_by("pk").values_list("organization_id", "opportunity_id", column)
    return {(organization, one): name for organization, one, name in found if (organization, one) in wanted}


def keys_of_name(text: str, rows: QuerySet[Candidate]) -> list[str]:
    """Return the opportunity ids of those of the candidates whose names contain every word of the text."""
    has_words = Q()
    for word in text.split():
        has_words &= Q(name__icontains=word)
    return list(
        rows.filter(has_words).order_by("-entered_at").values_list("opportunity_id", flat=True)[:MOST_NAMED]
    )


def candidate_link(organization_id: int, opportunity_id: str, name: str | None = None) -> str | SafeString:
    """Return a link to the candidate's record in the admin, by name where it is known."""
    if not opportunity_id:
        return NOTHING
    if name is None:
        key = (organization_id, opportunity_id)
        name = names_of([key]).get(key, "")
    address = reverse("admin:candidate", args=[organization_id, opportunity_id])
    return format_html('<a href="{}">{}</a>', address, name or opportunity_id)


class SitePageMixin(admin.ModelAdmin):
    """Rows that are about a candidate: each record leads to the page on the site where members act on it."""

    def candidate_key(self, row: Any) -> CandidateKey:
        """Return which candidate a row is about; the opportunity is empty for none."""
        return row.organization_id, row.opportunity_id

    def site_page(self, row: Any) -> str:
        """Return the address of the portal's own page about the row; empty where there is none."""
        _, opportunity_id = self.candidate_key(row)
        return reverse("candidate", args=[opportunity_id]) if opportunity_id else ""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Show the row, with the way to its page on the site for members, and for others with who may act."""
        row = options["obj"]
        context |= {
            "site_page": self.site_page(row),
            "owner": row.organization,
            "is_member": row.organization_id in staff_memberships(request),
        }
        return super().render_change_form(request, context, *args, **options)


class CandidateMixin(SitePageMixin):
    """Rows that are about a candidate: their names beside them, and a search by name."""

    def complete(self, rows: Sequence[Any]) -> None:
        """Add the candidates' names to the rows of one page of a list."""
        names = names_of(self.candidate_key(row) for row in rows)
        for row in rows:
            row.known_name = names.get(self.candidate_key(row), "")

    @admin.display(description="candidate")
    def candidate(self, row: Any) -> str | SafeString:
        """Return a link to the candidate."""
        return candidate_link(*self.candidate_key(row), getattr(row, "known_name", None))

    def rows_of_candidates(self, queryset: QuerySet[Any], opportunity_ids: list[str]) -> QuerySet[Any]:
        """Return the rows that are about any of these candidates."""
        return queryset.filter(opportunity_id__in=opportunity_ids)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows that match by their own columns or by their candidate's name."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if not any(letter.isalpha() for letter in search_term):
            return found, may_repeat

        keys = keys_of_name(search_term, visible(Candidate, request))
        return (found | self.rows_of_candidates(queryset, keys) if keys else found), may_repeat


#: So many rows of the relation are looked through; an opportunity has far fewer.
MOST_RELATED = 1_000


@dataclass(frozen=True)
class SearchedRelation:
    """A foreign key, and the columns of the row it leads to that a search term may equal."""

    name: str
    columns: tuple[str, ...]


class RelatedSearchMixin(admin.ModelAdmin):
    """Search the related rows first, and then for the rows that belong to those found.

    One query over both tables couldn't use the index of either: it would read all rows.
    """

    searched_relation: SearchedRelation

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows that match by their own columns or by their relation's, none of them twice."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        relation, term = self.searched_relation, search_term.strip()
        related = self.opts.get_field(relation.name).related_model
        if not term or not isinstance(related, type):
            return found, may_repeat
        equal = Q(*((column, term) for column in relation.columns), _connector=Q.OR)
        keys = list(
            related._default_manager.filter(equal).order_by().values_list("pk", flat=True)[:MOST_RELATED]
        )
        return found | queryset.filter(**{f"{relation.name}__in": keys}), may_repeat
