"""A person's own memberships: answering an invitation, by its link too, and leaving an organization."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from integrations.core.vocabulary import ActionNotAllowed
from integrations.members.acts import consent
from integrations.members.acts.members import decline
from integrations.members.models.membership import PendingMembership, folded
from integrations.notifications.link_emails import read_membership_token
from integrations.pages.access import ORGANIZATION_SESSION_KEY, memberships_of
from integrations.pages.views import ActView
from integrations.queue import notify
from portal.accounts.completion import SignInMethod, complete_sign_in


class MembershipsView(TemplateView):
    """Show the organizations that the person belongs to, and those that invite them."""

    template_name = "accounts/memberships.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the memberships, and the invitations to an address that is proven to be the person's."""
        user = cast(User, self.request.user)
        return super().get_context_data(
            memberships=memberships_of(self.request),
            invitations=consent.open_invitations(user),
            is_address_proven=consent.has_proven_address(user),
            **kwargs,
        )


class AnswerInvitationView(ActView):
    """Accept or decline an invitation, signed in, without its link."""

    following_page = "memberships"

    def operate(self, form: Form) -> str | HttpResponse:
        """Store the answer; 404 unless the invitation went to the person's own proven address."""
        user = cast(User, self.request.user)
        pending = get_object_or_404(consent.open_invitations(user), pk=self.kwargs["pk"])
        if self.request.POST.get("answer") != "decline":
            return accept_signed_in(self.request, pending, user, consent.InvitationProof.EARLIER_LINK)
        decline(pending, user)
        return f"You declined the invitation of {pending.organization}."


class LeaveOrganizationView(ActView):
    """End one of the person's own memberships."""

    following_page = "memberships"

    def operate(self, form: Form) -> str:
        """Leave, unless the person is the last Super Admin; 404 for somebody else's membership."""
        member = get_object_or_404(memberships_of(self.request), pk=self.kwargs["pk"])
        consent.leave(member)
        return f"You left {member.organization}."


def accept_signed_in(
    request: HttpRequest, pending: PendingMembership, user: User, proof: consent.InvitationProof
) -> HttpResponse:
    """Accept the invitation for the signed-in person and lead them to the organization, or say why not."""
    try:
        member = consent.accept(pending, user, proof)
    except ActionNotAllowed as error:
        messages.error(request, str(error))
        return redirect("memberships")
    notify.notify_workers()
    request.session[ORGANIZATION_SESSION_KEY] = member.organization.slug
    messages.success(request, f"You are {member.get_role_display()} of {member.organization} now.")
    return redirect("overview")


@method_decorator([login_not_required, never_cache], name="dispatch")
class MembershipLinkView(TemplateView):
    """Ask the person who got an invitation for their answer. Looking at the page changes nothing.

    A link that was sent proves that its reader reads that address. None sets the password of an account that exists
    already: its person signs in. A new account is made only where none has the address.
    """

    template_name = "accounts/membership_link.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the invitation, None when the link has ended, and what its reader needs in order to accept."""
        link = read_membership_token(self.kwargs["token"])
        pending = link.pending if link else None
        context = super().get_context_data(pending=pending, **kwargs)
        if pending is None:
            return context
        context["is_own"] = self._is_own(pending)
        context["here"] = self.request.path
        if not self.request.user.is_authenticated:
            accounts = list(consent.accounts_of(pending))
            context["accounts"] = [account for account in accounts if account.is_active]
            context["is_disabled"] = bool(accounts) and not context["accounts"]
            context.setdefault("form", SetPasswordForm(_new_user(pending)))
        return context

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Store the answer; the page is shown again when it isn't possible as things are."""
        link = read_membership_token(token)
        if link is None:
            return self.get(request, token=token)
        pending = link.pending
        proof = consent.InvitationProof.LINK if link.was_sent else consent.InvitationProof.SHOWN_LINK
        if request.POST.get("answer") == "decline":
            return self._decline(pending)
        if not request.user.is_authenticated:
            return self._accept_with_new_account(pending, proof)
        if not self._is_own(pending):
            return self.get(request, token=token)
        return accept_signed_in(request, pending, request.user, proof)

    def _is_own(self, pending: PendingMembership) -> bool:
        """Whether the signed-in person's account has the address that the invitation was sent to."""
        user = self.request.user
        return user.is_authenticated and folded(user.email) == pending.email

    def _decline(self, pending: PendingMembership) -> HttpResponse:
        is_own = self._is_own(pending)
        decline(pending, cast(User, self.request.user) if is_own else pending.email)
        notify.notify_workers()
        messages.success(self.request, f"You declined the invitation of {pending.organization}.")
        return redirect("memberships" if self.request.user.is_authenticated else "login")

    def _accept_with_new_account(
        self, pending: PendingMembership, proof: consent.InvitationProof
    ) -> HttpResponse:
        user = _new_user(pending)
        form = SetPasswordForm(user, self.request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        user.set_password(form.cleaned_data["new_password1"])
        try:
            consent.accept_with_new_account(pending, user, proof)
        except ActionNotAllowed as error:
            messages.error(self.request, str(error))
            return redirect(self.request.path)
        notify.notify_workers()
        return complete_sign_in(self.request, user, SignInMethod.PASSWORD_LINK, reverse("overview"))


def _new_user(pending: PendingMembership) -> User:
    """Return the account that the person would get, not stored."""
    return User(username=pending.email, email=pending.email)
