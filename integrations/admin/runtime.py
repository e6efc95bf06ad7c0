"""Workers' signs of life and the pacing of calls in the admin: for those who run the whole portal."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.admin.access import is_superuser
from integrations.admin.base import ScopedAdmin
from integrations.models import CircuitBreaker, Heartbeat, RateLimitBucket


class PortalWideAdmin(ScopedAdmin):
    """Rows of no organization."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return every row to superusers, and none to anybody else."""
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows if is_superuser(request) else rows.none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show it to superusers."""
        return is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show it to superusers."""
        return is_superuser(request)


@admin.register(Heartbeat)
class HeartbeatAdmin(PortalWideAdmin):
    """When each kind of worker last showed that it makes progress."""

    list_display = ("name", "at")


@admin.register(RateLimitBucket)
class RateLimitBucketAdmin(PortalWideAdmin):
    """Whose turn it is to call which account."""

    list_display = ("key", "free_at")


@admin.register(CircuitBreaker)
class CircuitBreakerAdmin(ScopedAdmin):
    """Whether each organization's platforms answer."""

    list_display = ("organization", "platform", "failures", "open_until")
    list_filter = ("platform",)
    list_select_related = ("organization",)
