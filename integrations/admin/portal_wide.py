"""The base of admin pages whose rows belong to no organization."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.admin.access import is_superuser
from integrations.admin.base import ScopedAdmin


class PortalWideAdmin(ScopedAdmin):
    """Rows of no organization: only superusers see them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return every row for superusers, none for others."""
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows if is_superuser(request) else rows.none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Allow superusers."""
        return is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow superusers."""
        return is_superuser(request)
