"""People's accounts in the admin and how they sign in, for superusers."""

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

from integrations.accounts.acts.accounts import add_account, change_account, follow_new_password
from integrations.accounts.acts.recent_sign_in import proof_wanted
from integrations.accounts.models.second_factors import AuthenticatorApp, Passkey, RecoveryCode
from integrations.accounts.models.sessions import PasswordLinkRequest, UserSession
from integrations.admin.access import current_user, is_superuser
from integrations.admin.base import PortalWideAdmin
from integrations.audit.models.entry import AuditAction
from integrations.members.models.membership import PersonalSettings
from integrations.queue import notify

# memberships say who may do what; groups and Django's permissions would only seem to
admin.site.unregister([Group, User])


@admin.register(User)
class AccountAdmin(PortalWideAdmin, UserAdmin):
    """Who can sign in. An account that is no longer used is made inactive: what its person did keeps their name."""

    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow superusers."""
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Allow superusers."""
        return is_superuser(request)

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """Store the account, audited. It takes a fresh proof: an address or a right opens an account."""
        self.require_proof(request)
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
            user = self.get_object(
                request, unquote(id)
            )  # as Django finds it: also by other spellings of its key
            before = user.password
            response = super().user_change_password(request, id, form_url)
            user.refresh_from_db()
            is_changed = before != user.password
            if is_changed:
                follow_new_password(user, AuditAction.CHANGE_PASSWORD, actor=current_user(request))
        if is_changed:
            notify.notify_workers()
        return response


@admin.register(PersonalSettings)
class PersonalSettingsAdmin(PortalWideAdmin):
    """A person's time zone, proven address and latest organization."""

    list_display = ("user", "time_zone", "proven_email", "last_organization")
    list_select_related = ("user", "last_organization")


@admin.register(AuthenticatorApp)
class AuthenticatorAppAdmin(PortalWideAdmin):
    """Who has an app, since when, and when it was last used; never its secret."""

    list_display = ("user", "created_at", "confirmed_at", "last_used_at")
    list_select_related = ("user",)
    fields = ("user", "created_at", "confirmed_at", "last_used_at")
    search_fields = ("user__username",)


@admin.register(Passkey)
class PasskeyAdmin(PortalWideAdmin):
    """Who has which passkeys, since when, and when each was last used."""

    list_display = ("user", "name", "created_at", "last_used_at")
    list_select_related = ("user",)
    fields = ("user", "name", "credential_id", "sign_count", "created_at", "last_used_at")
    search_fields = ("user__username", "name")


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(PortalWideAdmin):
    """Whose codes were made and used when; never their hashes."""

    list_display = ("user", "created_at", "used_at")
    list_select_related = ("user",)
    fields = ("user", "created_at", "used_at")
    search_fields = ("user__username",)


@admin.register(PasswordLinkRequest)
class PasswordLinkRequestAdmin(PortalWideAdmin):
    """Requests that wait for a worker; the addresses aren't shown."""

    list_display = ("pk", "requested_at")
    exclude = ("address",)


@admin.register(UserSession)
class UserSessionAdmin(PortalWideAdmin):
    """When people signed in, and from where."""

    list_display = ("user", "began_at", "last_used_at", "ended_at", "address", "browser")
    list_select_related = ("user",)
