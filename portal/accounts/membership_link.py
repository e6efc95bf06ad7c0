"""The page behind the link in an invitation: its reader accepts or declines, with their account or a new one."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from integrations.models import PendingMembership
from integrations.models.pending_membership import folded
from integrations.queue import notify
from integrations.workflow.email.membership_links import read_membership_token
from integrations.workflow.operations import consent
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.pending_members import decline
from portal.accounts.completion import SignInMethod, complete_sign_in
from portal.accounts.memberships import accept_signed_in


@method_decorator([login_not_required, never_cache], name="dispatch")
class MembershipLinkView(TemplateView):
    """Ask the person to whom an invitation was sent for their answer. Looking at the page changes nothing.

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
        pending, proof = link.pending, consent.Proof.LINK if link.was_sent else consent.Proof.SHOWN_LINK
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

    def _accept_with_new_account(self, pending: PendingMembership, proof: consent.Proof) -> HttpResponse:
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
