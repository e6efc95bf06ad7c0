"""The base of the admin's lists and pages: whose rows, read-only."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.db.models.functions import Length
from django.forms import Media
from django.http import Http404, HttpRequest
from django.utils.text import capfirst

from integrations.admin import access
from integrations.admin.access import is_superuser
from integrations.admin.display import NOTHING
from integrations.lists import LongListPage, LongListPaginator
from integrations.store.columns import EncryptedTextField

ROWS_PER_PAGE = 50


class ScopedAdmin(admin.ModelAdmin):
    """Rows of the person's organizations, read-only.

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
    #: What stands above the list, where that isn't what its rows are called.
    list_title = ""
    #: Whether the admin's first page names the list. Others are reached from the records that they belong to.
    is_in_index = True
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

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LongChangeList

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns; without the organization for people who see only one."""
        columns = super().get_list_display(request)
        is_needed = access.is_superuser(request) or len(access.visible_organizations(request)) > 1
        if is_needed or columns[0] == "organization":
            return columns
        return [column for column in columns if column != "organization"]

    def complete(self, rows: Sequence[Any]) -> None:
        """Add to the rows of one page of a list what needs a query for all of them."""

    # who sees what

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the person's organizations. Encrypted columns are not read, only their lengths."""
        names = self.secret_names()
        rows: QuerySet[Any] = super().get_queryset(request)
        if names:
            rows = rows.defer(*names).annotate(**{f"{name}_length": Length(name) for name in names})
        if access.is_superuser(request):
            return rows
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
        return int(row.organization_id)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Name the list on the first page for superusers and for members whose role opens it."""
        return self.is_in_index and access.has_right(request, self.read_right)

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

    # what stays hidden

    def secret_names(self) -> list[str]:
        """Return the columns that are neither read nor shown."""
        return [column.name for column in self.opts.fields if isinstance(column, EncryptedTextField)]

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Exclude secrets from every form, even where `fields` names one."""
        return [*(super().get_exclude(request, obj) or ()), *self.secret_names()]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow in the address only what the filters offer.

        Otherwise lookups such as ?webhook_key__startswith=a would reveal a secret letter by letter.
        """
        filters = set[Any]()
        for item in self.get_list_filter(request):
            filters |= {*getattr(item, "parameter_names", (getattr(item, "parameter_name", item),))}
        allowed = {*filters, self.date_hierarchy, "pk", "id"}
        return lookup.split("__")[0] in allowed and super().lookup_allowed(lookup, value, request)


class PortalWideAdmin(ScopedAdmin):
    """Rows of no organization: only superusers see them."""

    list_select_related: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows if is_superuser(request) else rows.none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.is_in_index and is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)


class LongChangeList(ChangeList):
    """A list that takes as long for a million rows as for a thousand."""

    page: LongListPage
    model_admin: ScopedAdmin

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = self.model_admin.list_title or capfirst(str(self.opts.verbose_name_plural))

    def get_results(self, request: HttpRequest) -> None:
        """Read the page that the address names, the last when there is no such page."""
        rows = self.queryset.defer(*self.model_admin.list_defer)
        paginator = LongListPaginator(rows, self.list_per_page)
        self.page = paginator.get_page(self.page_num)
        self.model_admin.complete(list(self.page.object_list))
        self.paginator, self.result_list, self.result_count = (
            paginator,
            self.page.object_list,
            paginator.count,
        )
        self.show_full_result_count, self.full_result_count = False, None
        self.can_show_all, self.multi_page = False, self.page.has_other_pages()

    @property
    def chosen(self) -> list[str]:
        """What the filters were set to, in words; what stands first in each leaves all rows."""
        return [
            str(choice["display"])
            for spec in self.filter_specs
            for place, choice in enumerate(spec.choices(self))
            if choice["selected"] and place
        ]

    def page_links(self) -> list[tuple[str, str]]:
        page, links = self.page, list[tuple[str, int]]()
        if page.has_previous():
            links += [("First", 1), ("Previous", page.previous_page_number())]
        if page.has_next():
            links += [("Next", page.next_page_number()), ("Last", -1)]
        return [(name, self.get_query_string({PAGE_VAR: str(number)})) for name, number in links]
