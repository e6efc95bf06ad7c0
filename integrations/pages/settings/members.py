"""Members of the organization: inviting them by link, changing their role, removing them."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.generic import TemplateView, View

from integrations.models import (
    AuditAction,
    AuditEntry,
    AuditTarget,
    LastSuperAdmin,
    Membership,
    Organization,
    TargetKind,
)
from integrations.pages.access import SUPER_ADMINS, OrganizationMixin
from integrations.pages.settings.connections import SettingsView
from integrations.pages.settings.member_form import InviteMemberForm
from integrations.queue import notify
from integrations.workflow.email.links import choose_password_link
from integrations.workflow.email.welcome import enqueue_welcome

MEMBERS = "#members"


def may_hand_out_link(user: Any, organization: Organization) -> bool:
    """Whether this organization may set the person's password: nobody has, and no other organization knows them."""
    elsewhere = Membership.objects.filter(user=user).exclude(organization=organization).exists()
    return not user.has_usable_password() and not elsewhere and not user.is_staff and not user.is_superuser


def _audited(member: Membership) -> AuditTarget:
    return AuditTarget(TargetKind.MEMBER, member.pk, str(member.user))


class InviteMemberView(SettingsView):
    """Add a member, with an invitation link when they have no password yet."""

    allowed_roles = SUPER_ADMINS

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Make the user if need be, and the membership."""
        form = InviteMemberForm(request.POST, organization=self.organization)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(invite_form=form))
        with transaction.atomic():
            user = form.cleaned_data["user"] or get_user_model().objects.create_user(
                form.cleaned_data["username"], form.cleaned_data["email"]
            )
            membership = Membership.objects.create(
                organization=self.organization, user=user, role=form.cleaned_data["role"]
            )
            changes = {"role": ("", membership.role)}
            target = _audited(membership)
            AuditEntry.record(self.organization, self.user, AuditAction.INVITE_MEMBER, target, changes)
        if may_hand_out_link(user, self.organization):
            enqueue_welcome(membership)
            notify.notify_workers()
            messages.success(request, f"The invitation is on its way to {user.email}.")
            return redirect("member-link", pk=membership.pk)
        messages.success(request, f"{user} is a member now, and signs in with the password they have.")
        return redirect(reverse("settings") + MEMBERS)


class MemberView(OrganizationMixin, TemplateView):
    """A page about one member."""

    allowed_roles = SUPER_ADMINS

    def member(self) -> Membership:
        """Return the member of this organization; 404 for any other."""
        found = self.organization.memberships.select_related("user")
        return get_object_or_404(found, pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the member."""
        return super().get_context_data(member=self.member(), **kwargs)


class MemberLinkView(MemberView):
    """Show the link by which an invited member chooses a password."""

    template_name = "integrations/member_link.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Make the link; none for somebody who has a password or belongs elsewhere too."""
        context = super().get_context_data(**kwargs)
        user = cast(User, context["member"].user)
        context["link"] = choose_password_link(user) if may_hand_out_link(user, self.organization) else ""
        return context

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send it by e-mail again."""
        member = self.member()
        if may_hand_out_link(member.user, self.organization) and member.user.email:
            with transaction.atomic():
                enqueue_welcome(member)
                AuditEntry.record(
                    self.organization, self.user, AuditAction.SEND_INVITATION_LINK, _audited(member)
                )
            notify.notify_workers()
            messages.success(request, f"The invitation is on its way to {member.user.email}.")
        else:
            messages.error(request, "There is no link for this person.")
        return redirect("member-link", pk=pk)


class ChangeRoleView(OrganizationMixin, View):
    """Give a member another role."""

    http_method_names = ["post"]
    allowed_roles = SUPER_ADMINS

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change it, unless nobody would be Super Admin afterwards."""
        role = request.POST.get("role", "")
        member = get_object_or_404(self.organization.memberships.select_related("user"), pk=pk)
        if role not in Membership.Role.values:
            messages.error(request, "There is no such role.")
        elif role == member.role:
            messages.info(request, "Nothing was changed.")
        else:
            self._change(member, role)
        return redirect(reverse("settings") + MEMBERS)

    def _change(self, member: Membership, role: str) -> None:
        change = {"role": (member.role, role)}
        try:
            with transaction.atomic():
                member.change_role(role)
                AuditEntry.record(
                    self.organization, self.user, AuditAction.CHANGE_ROLE, _audited(member), change
                )
        except LastSuperAdmin as error:
            messages.error(self.request, str(error))
        else:
            messages.success(self.request, f"{member.user} is {member.get_role_display()} now.")


class RemoveMemberView(MemberView):
    """Say what removing a member does; do it on POST."""

    template_name = "integrations/member_remove.html"

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Remove them, unless they are the last Super Admin."""
        member = self.member()
        own, change = member.user_id == self.user.pk, {"role": (member.role, "")}
        target = _audited(member)
        try:
            with transaction.atomic():
                member.end()
                AuditEntry.record(self.organization, self.user, AuditAction.REMOVE_MEMBER, target, change)
        except LastSuperAdmin as error:
            messages.error(request, str(error))
            own = False
        else:
            messages.success(request, f"{member.user} is no longer a member.")
        return redirect("/" if own else reverse("settings") + MEMBERS)
