"""Which rows a person sees in the admin: their memberships' roles decide; and the base of its lists, read-only."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, ClassVar, Literal, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, Model, OuterRef, QuerySet, Subquery
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor
from django.db.models.functions import Length
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from integrations.accounts.acts.fresh_proof import is_admitted, is_strong, proof_wanted
from integrations.admin.display import NOTHING, candidate_link, secret_column
from integrations.invitations.models.candidate import Candidate
from integrations.members.models.membership import Membership, opened_memberships
from integrations.organizations.models.organization import Organization
from integrations.store.database import is_key
from integrations.store.encryption import EncryptedTextField

#: A right that a membership gives: the name of one of its properties.
Right = Literal["may_connect", "may_read_log", "may_retry_effects"]
#: A section of a row's page: its title, and what is known, each with its label and its help text.
type Section = tuple[str, list[tuple[str, str, str]]]


def current_user(request: HttpRequest) -> User:
    """Return the person who is signed in; every page of the admin requires that."""
    return cast(User, request.user)


def staff_memberships(request: HttpRequest) -> dict[int, Membership]:
    """Return the person's memberships that open the admin, by organization id; read once per request.

    Left out are organizations that wait for a second factor.
    """
    memberships: dict[int, Membership] | None = getattr(request, "_staff_memberships", None)
    if memberships is None:
        # none, on the sign-in page
        own = opened_memberships(current_user(request).pk or 0, request.session)
        own = own.exclude(role=Membership.Role.LIMITED_TEAM_MEMBER)
        memberships = {
            membership.organization_id: membership
            for membership in own.select_related("organization", "user")
            if is_admitted(request, membership.organization)
        }
        request._staff_memberships = memberships  # type: ignore[attr-defined]
    return memberships


def waits_for_second_factor(request: HttpRequest) -> bool:
    """Whether the person sees nothing in the admin before a second factor."""
    if is_superuser(request) and settings.OPERATORS_NEED_SECOND_FACTOR:
        return not is_strong(request)
    if is_strong(request):
        return False
    if is_superuser(request):
        return Organization.objects.filter(requires_second_factor=True).exists()
    own = Membership.objects.filter(
        user_id=current_user(request).pk, organization__requires_second_factor=True
    )
    return not staff_memberships(request) and own.exclude(role=Membership.Role.LIMITED_TEAM_MEMBER).exists()


def is_superuser(request: HttpRequest) -> bool:
    """Whether the person runs the whole portal, and so sees every organization."""
    return bool(request.user.is_active and request.user.is_superuser)


def require_member(request: HttpRequest) -> None:
    """Raise PermissionDenied for a person who sees no records."""
    if not has_right(request, "may_retry_effects"):
        raise PermissionDenied


def visible_organizations(request: HttpRequest) -> Collection[int]:
    """Return the ids of the organizations whose rows the person sees. Not for superusers, who see all."""
    return staff_memberships(request).keys()


def has_right(request: HttpRequest, right: Right, organization_id: int | None = None) -> bool:
    """Whether the person has that right in that organization; without one, in any."""
    if is_superuser(request):
        return True
    organizations = [key for key, member in staff_memberships(request).items() if getattr(member, right)]
    return bool(organizations) if organization_id is None else organization_id in organizations


def visible[Row: Model](model: type[Row], request: HttpRequest) -> QuerySet[Row]:
    """Return the rows of the person's organizations; all for superusers. The model has a column `organization`."""
    rows: QuerySet[Row] = model._default_manager.all()
    if is_superuser(request):
        return rows
    return rows.filter(organization__in=visible_organizations(request))


def organizations(request: HttpRequest) -> QuerySet[Organization]:
    """Return the organizations whose rows the person sees, by name."""
    rows = Organization.objects.order_by("name")
    return rows if is_superuser(request) else rows.filter(pk__in=visible_organizations(request))


ROWS_PER_PAGE = 50
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
    read_right: Right = "may_retry_effects"
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
        is_needed = is_superuser(request) or len(visible_organizations(request)) > 1
        if is_needed or columns[0] == "organization":
            return columns
        return [column for column in columns if column != "organization"]

    # who sees what

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the person's organizations. Encrypted columns are not read, only their lengths."""
        names = self.secret_names()
        rows: QuerySet[Any] = super().get_queryset(request).defer(*names, *self.list_defer)
        rows = rows.annotate(**{f"{name}_length": Length(name) for name in names})
        return rows if is_superuser(request) else self.own(rows, request)

    def own(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Return those of the rows that a person sees who doesn't run the portal."""
        return rows.filter(**{f"{self.organization_path}__in": visible_organizations(request)})

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
        return has_right(request, self.read_right)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_right(request, self.read_right, self.organization_of(obj) if obj is not None else None)

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

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Show the row: what is known of it, section by section."""
        context["sections"] = list(self._sections(request, context["adminform"]))
        return super().render_change_form(request, context, *args, **options)

    def _sections(self, request: HttpRequest, form: Iterable[Any]) -> Iterator[Section]:
        """Yield the sections that say something; what is empty is left out."""
        for fieldset in form:
            facts = [
                (field.field["label"], contents, field.field["help_text"])
                for line in fieldset
                for field in line
                if field.is_readonly and (contents := self._contents(request, field)) != NOTHING
            ]
            if facts:
                yield fieldset.name or "", facts

    def _contents(self, request: HttpRequest, field: Any) -> str:
        """Return what a field of a row's page shows: another row is a link only for who may open it."""
        related = getattr(self.model, str(field.field["field"]), None)
        if isinstance(related, ForwardManyToOneDescriptor):
            row = getattr(field.form.instance, related.field.name)
            model, site = related.field.related_model, admin.site
            may_open = site.is_registered(model) and site.get_model_admin(model).has_view_permission(
                request, row
            )
            if row is not None and not may_open:
                return str(row)
        return str(field.contents())

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


class CandidateMixin(admin.ModelAdmin):
    """Rows that are about a candidate: the name beside each, and the way to the page on the site where members act."""

    #: Which column has Lever's id of the candidate's opportunity.
    opportunity_path = "opportunity_id"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows with the candidates' names."""
        own = Candidate.objects.filter(
            organization=OuterRef("organization"), opportunity_id=OuterRef(self.opportunity_path)
        )
        named: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(opportunity=F(self.opportunity_path), known_name=Subquery(own.values("name")[:1]))
        )
        return named

    @admin.display(description="candidate")
    def candidate(self, row: Any) -> str | SafeString:
        return candidate_link(row.organization_id, row.opportunity, row.known_name)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Show the row, for members with the way to the candidate's page."""
        row = options["obj"]
        is_member = row.organization_id in staff_memberships(request)
        context["site_page"] = is_member and row.opportunity and reverse("candidate", args=[row.opportunity])
        return super().render_change_form(request, context, *args, **options)
