"""The base of the admin's lists and pages: whose rows, read-only."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.db.models.functions import Length
from django.forms import Media
from django.http import Http404, HttpRequest

from integrations.accounts.acts.fresh_proof import proof_wanted
from integrations.admin import access
from integrations.admin.access import is_superuser
from integrations.admin.display import NOTHING, secret_column
from integrations.store.encryption import EncryptedTextField

ROWS_PER_PAGE = 50


class ScopedAdmin(admin.ModelAdmin):
    """Rows of the person's organizations, read-only; a row's page shows every column but secrets and `exclude`.

    Django's permissions are not read: the membership's role decides.
    """

    organization_path = "organization"
    #: Long columns that the list doesn't show, so that it doesn't read them.
    list_defer: tuple[str, ...] = ()
    #: What can be searched for. Shown beside the field: Django's search_help_text would replace the field's label for
    #: screen readers.
    search_hint = ""
    #: The right that opens these rows.
    read_right: access.Right = "may_retry_effects"
    #: Columns that an address may filter by beside those of `list_filter`.
    lookups: tuple[str, ...] = ()
    #: Pages that read need none of Django's scripts.
    media = Media()
    list_select_related: ClassVar[tuple[str, ...]] = ("organization",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = ROWS_PER_PAGE
    list_max_show_all = ROWS_PER_PAGE
    empty_value_display = NOTHING
    save_on_top = False
    view_on_site = False

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns; without the organization for people who see only one."""
        columns = super().get_list_display(request)
        is_needed = access.is_superuser(request) or len(access.visible_organizations(request)) > 1
        if is_needed or columns[0] == "organization":
            return columns
        return [column for column in columns if column != "organization"]

    # who sees what

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the person's organizations. Encrypted columns are not read, only their lengths."""
        names = self.secret_names()
        rows: QuerySet[Any] = super().get_queryset(request).defer(*names, *self.list_defer)
        rows = rows.annotate(**{f"{name}_length": Length(name) for name in names})
        return rows if access.is_superuser(request) else self.own(rows, request)

    def own(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Return those of the rows that a person sees who doesn't run the portal."""
        return rows.filter(**{f"{self.organization_path}__in": access.visible_organizations(request)})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row. Raises Http404 where there is none, or another organization has it."""
        row = None
        if self._may_be_key(object_id):
            row = super().get_object(request, object_id, from_field or None)  # Django passes on an empty one
        if row is None:
            raise Http404
        return row

    def _may_be_key(self, object_id: str) -> bool:
        """Whether the database takes the text for a primary key: a row that extends another has the other's key."""
        key: Any = self.opts.pk
        while key.remote_field:
            key = key.target_field
        try:
            key.clean(object_id, None)
        except ValidationError:
            return False
        return True

    def organization_of(self, row: Any) -> int:
        """Return the id of the row's organization; 0, which none has, for a row about the whole portal."""
        for name in self.organization_path.split("__"):
            row = getattr(row, name)
        return int(row.pk if isinstance(row, Model) else row or 0)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Name the list on the first page for superusers and for members whose role opens it."""
        return access.has_right(request, self.read_right)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.has_right(
            request, self.read_right, self.organization_of(obj) if obj is not None else None
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: the portal creates the rows itself."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a record that can be edited proves nothing. People change settings on the site."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a record that can be removed proves nothing."""
        return False

    # what is shown, and what stays hidden

    def secret_names(self) -> list[str]:
        """Return the columns that are neither read nor shown, but for whether they are set."""
        return [column.name for column in self.opts.fields if isinstance(column, EncryptedTextField)]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the `fields`, without them all columns of the row and whether each secret is set."""
        if self.fields:
            return self.fields
        hidden = self.get_exclude(request, obj)
        shown = [column.name for column in self.opts.fields if column.name not in hidden]
        return [*shown, *map(secret_column, self.secret_names())]

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Exclude secrets from every form, even where `fields` names one."""
        return [*(super().get_exclude(request, obj) or ()), *self.secret_names()]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow in the address only what the filters offer, and `lookups`.

        Otherwise lookups such as ?webhook_key__startswith=a would reveal a secret letter by letter.
        """
        filters = {getattr(item, "parameter_name", item) for item in self.get_list_filter(request)}
        allowed = {*filters, *self.lookups, "pk", "id"}
        return lookup.split("__")[0] in allowed and super().lookup_allowed(lookup, value, request)


class PortalWideAdmin(ScopedAdmin):
    """Rows of no organization: only superusers see them."""

    list_select_related: ClassVar[tuple[str, ...]] = ()

    def own(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        return rows.none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)


class ProvenFormAdmin(PortalWideAdmin):
    """Rows by which people sign in: superusers add and change them, with a fresh proof, since each opens accounts."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show the form; store it after a fresh proof."""
        if request.method == "POST" and (wanted := proof_wanted(request, request.get_full_path())):
            return wanted
        return super().changeform_view(request, *args, **kwargs)
