"""The filter by organization, which many lists of the admin share. All others are Django's own."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from integrations.admin.access import organizations
from integrations.lists import is_key

MAX_ORGANIZATIONS = 50


class OrganizationFilter(admin.SimpleListFilter):
    """Filter by one of the organizations that the person sees; absent when there is only one and none is chosen."""

    title = "organization"
    parameter_name = "organization"

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any
    ) -> None:
        self.organization_path: str = model_admin.organization_path
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        names = organizations(request).values_list("pk", "name")[:MAX_ORGANIZATIONS]
        choices = [(str(pk), name) for pk, name in names]
        # Django ignores a value in the address where there are no choices
        return choices if len(choices) > 1 or self.value() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen organization's rows of a list that is scoped already."""
        key = self.value()
        if key and not is_key(key):
            raise IncorrectLookupParameters
        return queryset.filter(**{self.organization_path: key}) if key else queryset
