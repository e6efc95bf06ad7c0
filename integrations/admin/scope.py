"""The rows of a model that a person sees in the admin, for pages that are about several models."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from integrations.admin import access
from integrations.models import Organization
from integrations.pagination import LongListPaginator


def visible[Row: Model](model: type[Row], request: HttpRequest) -> QuerySet[Row]:
    """Return the rows of the person's organizations; all for superusers. The model has a column `organization`."""
    rows: QuerySet[Row] = model._default_manager.all()
    if access.is_superuser(request):
        return rows
    return rows.filter(organization__in=access.visible_organizations(request))


def organizations(request: HttpRequest) -> QuerySet[Organization]:
    """Return the organizations whose rows the person sees, by name."""
    rows = Organization.objects.order_by("name")
    return rows if access.is_superuser(request) else rows.filter(pk__in=access.visible_organizations(request))


def count_text(rows: QuerySet[Any]) -> str:
    """Return how many rows there are, for people; of very many only that they are more than the portal counts."""
    return LongListPaginator(rows.order_by("pk"), 1).count_text
