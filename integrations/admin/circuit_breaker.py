"""Whether each platform answers, in the admin."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import FailingFilter, OrganizationFilter
from integrations.models import CircuitBreaker


@admin.register(CircuitBreaker)
class CircuitBreakerAdmin(ScopedAdmin):
    """Whether calls to each organization's platforms are stopped because they failed."""

    list_display = ("organization", "platform", "failures", "open_until")
    list_filter = (FailingFilter, "platform", OrganizationFilter)
    list_select_related = ("organization",)
