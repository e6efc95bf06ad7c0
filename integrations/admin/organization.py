"""Organizations in the admin, with policies and members, and people's accounts and how they sign in."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import F, QuerySet, TextChoices
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from integrations.accounts.acts.accounts import add_account, change_account, follow_new_password
from integrations.accounts.acts.fresh_proof import proof_wanted
from integrations.accounts.acts.second_factors import with_factors
from integrations.admin.base import (
    OrganizationFilter,
    ProvenFormAdmin,
    ScopedAdmin,
    current_user,
    has_right,
)
from integrations.admin.display import NOTHING, badge, column, columns, list_links, time_text
from integrations.audit.models.entry import AuditAction
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.vocabulary import Tone
from integrations.lever.models.connection import LeverConnection
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import POLICIES
from integrations.queue import notify


def state_badge(states: type[TextChoices], state: str | None) -> SafeString:
    """Return the state of a connection; None stands for one that was never made."""
    return badge(states(state).label, state) if state else badge("Not connected", Tone.NEUTRAL)


@admin.register(Organization)
class OrganizationAdmin(ScopedAdmin):
    """Customers: whether they are connected, and their policies."""

    organization_path = "pk"
    list_select_related = ()
    list_display = ("name", "slug", "lever", "codescreen", "paused", "created_at")
    list_filter = ("paused",)
    search_fields = ("name", "slug")
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "slug", "created_at")}),
        ("Policies", {"fields": POLICIES}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        organizations: QuerySet[Organization] = (
            super()
            .get_queryset(request)
            .annotate(
                lever_state=F("lever_connection__state"), codescreen_state=F("codescreen_connection__state")
            )
        )
        return organizations

    def get_fieldsets(self, request: HttpRequest, obj: Organization | None = None) -> Any:
        """Return the policies, with the webhook key, masked, for those who may connect."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and has_right(request, "may_connect", obj.pk):
            fieldsets = [*fieldsets, ("Addresses", {"fields": ("masked_webhook_key",)})]
        return fieldsets

    lever = column("Lever", lambda row: state_badge(LeverConnection.State, row.lever_state))
    codescreen = column(
        "CodeScreen", lambda row: state_badge(CodeScreenConnection.State, row.codescreen_state)
    )
    masked_webhook_key = column("webhook key", lambda organization: f"{organization.webhook_key[:4]}…")


@admin.register(Membership)
class MembershipAdmin(ScopedAdmin):
    """Who has access: name, address, role, last sign-in, second factor, and whether they open the admin."""

    list_display = columns("person email role last_sign_in second_factor opens_admin since organization")
    list_filter = ("role", OrganizationFilter)
    list_select_related = ("user", "organization")
    search_fields = ("user__username", "user__first_name", "user__last_name", "user__email")
    search_hint = "a name or an address"
    fields = columns(
        "person user email address organization role last_sign_in second_factor opens_admin created_at"
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """Return the memberships with which second factors their people have."""
        return with_factors(super().get_queryset(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, and how many operators see every organization beside its members."""
        count = User.objects.filter(is_superuser=True, is_active=True).count()
        note = f"Also seen by operators of the portal: {count}."
        return super().changelist_view(request, {"note": note} | (extra_context or {}))

    person = column("name", lambda member: name_of(member.user), "user__username")
    email = column("address", lambda member: member.user.email or member.address or NOTHING, "user__email")
    since = column("member since", lambda member: time_text(member.created_at), "created_at")
    last_sign_in = column(
        "last sign-in", lambda member: time_text(member.user.last_login), "user__last_login"
    )

    @admin.display(description="second factor")
    def second_factor(self, member: Any) -> SafeString:
        has = [
            name for name, is_there in (("app", member.has_app), ("passkey", member.has_passkey)) if is_there
        ]
        return badge(" and ".join(has).capitalize(), Tone.GOOD) if has else badge("None", Tone.NEUTRAL)

    @admin.display(description="admin")
    def opens_admin(self, member: Membership) -> str:
        """Return whether the person is staff, and their role opens the admin."""
        return "Yes" if member.user.is_staff and member.user.is_active and member.may_retry_effects else "No"


#: The lists of how people sign in, which are searched by user name.
_SIGN_IN = {
    "mfa_authenticator": "Second factors",
    "usersessions_usersession": "Sessions",
    "socialaccount_socialaccount": "Single sign-on",
    "integrations_personalsettings": "Settings",
}


def name_of(user: User) -> str:
    """Return a person's name, or the name they sign in with."""
    return user.get_full_name() or user.get_username()


# memberships say who may do what; groups and Django's permissions would only seem to
admin.site.unregister([Group, User])


@admin.register(User)
class AccountAdmin(ProvenFormAdmin, UserAdmin):
    """Who can sign in. An account that is no longer used is made inactive: what its person did keeps their name."""

    list_display = ("username", "name", "email", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Times", {"fields": ("last_login", "date_joined", "records")}),
    )
    add_form = UserCreationForm
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2")}),)
    readonly_fields = ("last_login", "date_joined", "records")
    filter_horizontal = ()

    name = column("name", name_of, "last_name")
    records = column("how they sign in", lambda user: list_links(_SIGN_IN, q=user.username))

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """Store the account, audited."""
        if not change:
            add_account(obj, current_user(request))
            return
        stored = User.objects.get(pk=obj.pk)
        changes = {
            name: (getattr(stored, name), getattr(obj, name))
            for name in form.changed_data
            if name != "password"
        }
        change_account(obj, changes, current_user(request))

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - the name of its address
        form_url: str = "",
    ) -> HttpResponse:
        """Show the form; a password that it stores is audited, ends the person's sessions and is told to them.

        Both take a fresh proof: it opens another person's account.
        """
        if wanted := proof_wanted(request, request.get_full_path()):
            return wanted
        with transaction.atomic():
            # as Django finds it: also by other spellings of its key
            user = self.get_object(request, unquote(id))
            before = user.password
            response = super().user_change_password(request, id, form_url)
            user.refresh_from_db()
            is_changed = before != user.password
            if is_changed:
                follow_new_password(user, AuditAction.CHANGE_PASSWORD, actor=current_user(request))
        if is_changed:
            notify.notify_workers()
        return response
