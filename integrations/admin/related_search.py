"""Searching rows by what is written in the row that they belong to."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

#: So many rows of the relation are looked through; an opportunity has far fewer.
MOST = 1_000


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
        keys = list(related._default_manager.filter(equal).order_by().values_list("pk", flat=True)[:MOST])
        return found | queryset.filter(**{f"{relation.name}__in": keys}), may_repeat
