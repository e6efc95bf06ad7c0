"""Filters that several admin lists share."""

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.admin.scope import organizations

MAX_ORGANIZATIONS = 50
#: Digits that every database takes for a key.
MAX_DIGITS = 18


def key_of(value: str | None) -> str:
    """Return the key that an address has, empty for none. Raises IncorrectLookupParameters where it is no key."""
    text = str(value or "")
    if text and (not text.isdecimal() or len(text) > MAX_DIGITS):
        raise IncorrectLookupParameters
    return text


def other_parameters(request: HttpRequest, own: Collection[str]) -> list[tuple[str, str]]:
    """Return what the form of a filter passes on: the address's parameters but the filter's own and the page."""
    return [
        (name, value)
        for name in request.GET
        if name not in {*own, PAGE_VAR, ERROR_FLAG}
        for value in request.GET.getlist(name)
    ]


class OrganizationFilter(admin.SimpleListFilter):
    """Filter by one of the organizations that the person sees; absent when there is only one."""

    title = "organization"
    parameter_name = "organization"
    #: The lookup from a row of the list to its organization.
    organization_path = "organization"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the person's organizations."""
        names = organizations(request).values_list("pk", "name")[:MAX_ORGANIZATIONS]
        choices = [(str(pk), name) for pk, name in names]
        return choices if len(choices) > 1 else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen organization's rows of a list that is scoped already."""
        key = key_of(self.value())
        return queryset.filter(**{self.organization_path: key}) if key else queryset


class GoneFilter(admin.SimpleListFilter):
    """Filter entries of the catalog by whether the platform still lists them."""

    title = "whether it is still there"
    parameter_name = "gone"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return both choices."""
        return [("no", "Listed now"), ("yes", "Gone")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the entries that are, or aren't, listed now."""
        return queryset.filter(gone_at__isnull=self.value() == "no") if self.value() else queryset


class FailingFilter(admin.SimpleListFilter):
    """Filter by whether something fails: rows with a column `failures`, which counts them in a row."""

    title = "whether it fails"
    parameter_name = "failing"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return both choices."""
        return [("yes", "Failing"), ("no", "Working")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows that fail, or don't."""
        match self.value():
            case "yes":
                return queryset.filter(failures__gt=0)
            case "no":
                return queryset.filter(failures=0)
        return queryset
