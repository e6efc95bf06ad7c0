"""The base of every admin page here: only the person's own organizations, read-only unless it says otherwise."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.http import Http404, HttpRequest

from integrations.admin import access
from integrations.admin.display import NOTHING
from integrations.models import Organization
from integrations.models.encrypted_field import EncryptedTextField

LONGEST_LIST = 50


class OrganizationFilter(admin.SimpleListFilter):
    """Choose one of the organizations the person sees; absent when there is only one."""

    title = "organization"
    parameter_name = "organization"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the person's organizations, never anybody else's."""
        rows = Organization.objects.order_by("name")
        if not access.is_superuser(request):
            rows = rows.filter(pk__in=access.visible(request))
        offered = [(str(pk), name) for pk, name in rows.values_list("pk", "name")[:LONGEST_LIST]]
        return offered if len(offered) > 1 else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen organization's rows; the list itself is scoped already."""
        value = self.value()
        if not value:
            return queryset
        if not str(value).isdecimal():
            raise IncorrectLookupParameters
        return queryset.filter(**{self.path: value})

    path = "organization"


class ScopedAdmin(admin.ModelAdmin):
    """Rows of the person's organizations, read-only; a subclass opens what may be changed, and to whom.

    No Django permission is needed or looked at: the membership's role decides.
    """

    organization_path = "organization"
    #: What may be searched for; beside the field rather than its description, which hides its label from readers.
    search_hint = ""
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = LONGEST_LIST
    list_max_show_all = LONGEST_LIST
    empty_value_display = NOTHING
    save_on_top = False
    view_on_site = False

    # who sees what

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the person's organizations; what is encrypted stays in the database."""
        names = self.secret_names()
        rows = super().get_queryset(request)
        if names:
            rows = rows.defer(*names).annotate(**{f"{name}_length": Length(name) for name in names})
        if access.is_superuser(request):
            return rows
        return rows.filter(**{f"{self.organization_path}__in": access.visible(request)})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row; another organization's is as absent as one that never was."""
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def organization_of(self, row: Any) -> int:
        """Return the id of the organization that a row belongs to."""
        return int(row.organization_id)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the portal's section to superusers and to members whose role opens the admin."""
        return access.has_right(request, "may_retry")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow looking at the rows of one's own organizations."""
        return access.has_right(request, "may_retry", self.organization_of(obj) if obj is not None else None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: rows come about by what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a record that can be edited proves nothing."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a record that can be removed proves nothing."""
        return False

    # named in the `permissions` of actions

    def has_configure_permission(self, request: HttpRequest) -> bool:
        """Offer an action to those who may decide: Admins and Super Admins."""
        return access.has_right(request, "may_configure")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Offer an action to Team Members and up."""
        return access.has_right(request, "may_retry")

    # what stays hidden

    def secret_names(self) -> list[str]:
        """Return the columns that are neither read nor shown."""
        return [column.name for column in self.opts.fields if isinstance(column, EncryptedTextField)]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep secrets out of every form, whatever `fields` may say one day."""
        return [*(super().get_exclude(request, obj) or ()), *self.secret_names()]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow in the address what the filters offer and nothing else.

        Otherwise a guess such as ?webhook_key__startswith=a would spell a secret out letter by letter.
        """
        filters = [getattr(item, "parameter_name", item) for item in self.get_list_filter(request)]
        allowed = {*filters, self.date_hierarchy, "pk", "id"}
        return lookup.split("__")[0] in allowed and super().lookup_allowed(lookup, value, request)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only organizations in which the person may decide."""
        if db_field.name == "organization" and not access.is_superuser(request):
            kwargs["queryset"] = Organization.objects.filter(
                pk__in=access.organizations_with(request, "may_configure")
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
