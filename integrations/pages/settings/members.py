"""Members of the organization: how they sign in, their role, resetting their second factor, removing them."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.generic import TemplateView, View

from integrations.models import Membership
from integrations.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.queue import notify
from integrations.recent_sign_in import RecentSignInMixin, proof_wanted
from integrations.workflow.email.links import choose_password_link
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.members import change_role, may_set_password, remove_member
from integrations.workflow.operations.second_factor import reset_for_member


class MemberView(OrganizationMixin, TemplateView):
    """A page about one member."""

    allowed_roles = SUPER_ADMINS

    def member(self) -> Membership:
        """Return the member that the address names; 404 for another organization's."""
        members = self.organization.memberships.select_related("user")
        return get_object_or_404(members, pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the member."""
        return super().get_context_data(member=self.member(), **kwargs)


class MemberLinkView(MemberView, RecentSignInMixin):
    """Show how a member without a password gets one: by e-mail, or by a link for somebody without an address.

    It takes a fresh proof: the link opens another's account.
    """

    template_name = "integrations/member_link.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the link; empty for a person who has an address or a password, or is a member elsewhere too."""
        context = super().get_context_data(**kwargs)
        member = context["member"]
        context["link"] = choose_password_link(member.user) if may_set_password(member) else ""
        return context


class ChangeRoleView(OrganizationMixin, View):
    """Give a member another role."""

    http_method_names = ["post"]
    allowed_roles = SUPER_ADMINS

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change the role, unless the member is the last Super Admin; a new one takes a fresh proof."""
        role = request.POST.get("role", "")
        member = get_object_or_404(self.organization.memberships.select_related("user"), pk=pk)
        if role in SUPER_ADMINS and (wanted := proof_wanted(request, reverse("team"))):
            return wanted
        if role not in Membership.Role.values:
            messages.error(request, "There is no such role.")
        else:
            self._change(member, role)
        return redirect("team")

    def _change(self, member: Membership, role: str) -> None:
        try:
            is_changed = change_role(member, role, self.user)
        except ActionNotAllowed as error:
            messages.error(self.request, str(error))
            return
        if is_changed:
            notify.notify_workers()
            messages.success(self.request, f"{member.user} is {member.get_role_display()} now.")
        else:
            messages.info(self.request, "Nothing was changed.")


class RemoveMemberView(MemberView):
    """Show what removing a member affects; remove them on POST."""

    template_name = "integrations/member_remove.html"

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Remove the member, unless they are the last Super Admin."""
        member = self.member()
        is_self = member.user_id == self.user.pk
        try:
            remove_member(member, self.user)
        except ActionNotAllowed as error:
            messages.error(request, str(error))
            is_self = False
        else:
            notify.notify_workers()
            messages.success(request, f"{member.user} is no longer a member.")
        return redirect("/" if is_self else "team")


class ResetSecondFactorView(MemberView, RecentSignInMixin):
    """Say what a reset does and ask why; reset on POST. Both need a fresh proof: it opens another's account."""

    template_name = "integrations/second_factor_reset.html"

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Reset it, unless it isn't this organization's to decide."""
        member = self.member()
        try:
            is_reset = reset_for_member(member, self.user, request.POST.get("reason", ""))
        except ActionNotAllowed as error:
            return self.render_to_response(self._context(error=str(error)))
        if is_reset:
            notify.notify_workers()
            messages.success(
                request, f"The second factor of {member.user} is reset, and they are told by e-mail."
            )
        else:
            messages.info(request, f"{member.user} has no second factor.")
        return redirect("security")

    def _context(self, **kwargs: Any) -> dict[str, Any]:
        return self.get_context_data(reason=self.request.POST.get("reason", ""), **kwargs)
