"""Who is on which candidate in Lever, in the admin."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import OrganizationFilter
from integrations.models import OpportunityPerson


@admin.register(OpportunityPerson)
class OpportunityPersonAdmin(ScopedAdmin):
    """Whom Limited Team Members see, and why."""

    list_display = ("opportunity_id", "email", "relation", "organization")
    list_filter = ("relation", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("opportunity_id__exact", "email__exact")
    search_hint = "an opportunity id, or an e-mail address in small letters"
    fields = ("opportunity_id", "email", "relation", "organization")
