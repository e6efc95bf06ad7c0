"""A person's own account: its page with their memberships, the answer to an invitation, and switching."""

from typing import Any, cast

from allauth.account.utils import perform_login
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.forms import Form, model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.generic import TemplateView

from integrations.accounts.acts.accounts import change_account
from integrations.members.acts.invitations import (
    AcceptanceRefusal,
    InvitationProof,
    accept,
    accept_with_new_account,
    accounts_of,
    decline,
    has_proven_address,
    leave,
    open_invitations,
    work_in,
)
from integrations.members.models.membership import PendingMembership, folded
from integrations.notifications.link_emails import read_membership_token
from integrations.notifications.models.email_kind import EmailKind, gets
from integrations.pages.access import ORGANIZATION_SESSION_KEY, admitted_membership, memberships_of
from integrations.pages.views import ActView, OperationView
from integrations.queue import notify
from integrations.single_sign_on.models import provider_of
from portal.accounts.forms import FirstPasswordForm

#: The part of the account's page with the memberships and invitations.
ORGANIZATIONS = "#organizations"
#: The pages that /account/ lists, in this order: the URL name, the title, the icon and what it is for.
ACCOUNT_PAGES = (
    ("account_change_password", "Your password", "key", "Choose another one"),
    ("usersessions_list", "Where you are signed in", "list", "See and end your sessions"),
    (
        "mfa_index",
        "Second factor",
        "shield",
        "An authenticator app or passkeys, and recovery codes",
    ),
)


#: A name, and not an address that a program would make a link of.
_NAME = RegexValidator(r"^([^\W\d_]|[ '’-]|\.(?=\s|$))*$", "Only letters, spaces, hyphens and apostrophes.")


class NameForm(forms.Form):
    """A person's name, as their colleagues see it."""

    first_name = forms.CharField(required=False, max_length=60, validators=[_NAME])
    last_name = forms.CharField(required=False, max_length=60, validators=[_NAME])


class AccountView(OperationView):
    """Show the signed-in person's name, sign-in, organizations, invitations and e-mails; store their name on POST."""

    template_name = "accounts/account.html"
    form_class = NameForm
    following_page = "account"

    def get_initial(self) -> dict[str, Any]:
        return model_to_dict(cast(User, self.request.user), NameForm.base_fields)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the memberships, the invitations to a proven address, and the e-mails of the organization shown."""
        user = cast(User, self.request.user)
        member = admitted_membership(self.request)
        return super().get_context_data(
            pages=ACCOUNT_PAGES,
            memberships=memberships_of(self.request),
            invitations=open_invitations(user),
            is_address_proven=has_proven_address(user),
            kinds=[(kind, gets(member, kind)) for kind in EmailKind] if member else [],
            **kwargs,
        )

    def operate(self, form: Form) -> str | None:
        user = cast(User, self.request.user)
        changes = {name: (form.initial[name], form.cleaned_data[name]) for name in form.changed_data}
        for name, (_, value) in changes.items():
            setattr(user, name, value)
        change_account(user, changes, user)
        return "Your name is saved." if changes else None


class AnswerInvitationView(ActView):
    """Accept or decline an invitation, signed in, without its link."""

    following_page = "account"
    anchor = ORGANIZATIONS

    def operate(self, form: Form) -> str | HttpResponse:
        """Store the answer; 404 unless the invitation went to the person's own proven address."""
        user = cast(User, self.request.user)
        pending = get_object_or_404(open_invitations(user), pk=self.kwargs["pk"])
        if self.request.POST.get("answer") != "decline":
            return accept_signed_in(self.request, pending, user, InvitationProof.EARLIER_LINK)
        decline(pending, user)
        return f"You declined the invitation of {pending.organization}."


class LeaveOrganizationView(ActView):
    """End one of the person's own memberships."""

    following_page = "account"
    anchor = ORGANIZATIONS

    def operate(self, form: Form) -> str:
        """Leave, unless the person is the last Super Admin; 404 for somebody else's membership."""
        member = get_object_or_404(memberships_of(self.request), pk=self.kwargs["pk"])
        leave(member)
        return f"You left {member.organization}."


def accept_signed_in(
    request: HttpRequest, pending: PendingMembership, user: User, proof: InvitationProof
) -> HttpResponse:
    """Accept the invitation for the signed-in person and lead them to the organization, or say why not."""
    member = accept(pending, user, proof)
    if isinstance(member, AcceptanceRefusal):
        messages.error(request, member.value)
        return redirect(reverse("account") + ORGANIZATIONS)
    notify.notify_workers()
    request.session[ORGANIZATION_SESSION_KEY] = member.organization.slug
    messages.success(request, f"You are {member.get_role_display()} of {member.organization} now.")
    return redirect("overview")


@method_decorator(login_not_required, name="dispatch")
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
        context["here"], context["provider"] = self.request.path, provider_of(pending.organization)
        if not self.request.user.is_authenticated:
            accounts = list(accounts_of(pending))
            context["accounts"] = [account for account in accounts if account.is_active]
            context["is_disabled"] = bool(accounts) and not context["accounts"]
            context.setdefault("form", FirstPasswordForm(user=_new_user(pending)))
        return context

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Store the answer; the page is shown again when it isn't possible as things are."""
        link = read_membership_token(token)
        if link is None:
            return self.get(request, token=token)
        pending = link.pending
        proof = InvitationProof.LINK if link.was_sent else InvitationProof.SHOWN_LINK
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
        return redirect("account" if self.request.user.is_authenticated else "account_login")

    def _accept_with_new_account(self, pending: PendingMembership, proof: InvitationProof) -> HttpResponse:
        user = _new_user(pending)
        form = FirstPasswordForm(user, self.request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        user.set_password(form.cleaned_data["password1"])
        member = accept_with_new_account(pending, user, proof)
        if isinstance(member, AcceptanceRefusal):
            messages.error(self.request, member.value)
            return redirect(self.request.path)
        notify.notify_workers()
        return cast(HttpResponse, perform_login(self.request, user, redirect_url=reverse("overview")))


def _new_user(pending: PendingMembership) -> User:
    """Return the account that the person would get, not stored."""
    return User(username=pending.email, email=pending.email)


class SwitchOrganizationView(ActView):
    """Switch to another of the person's organizations."""

    following_page = "overview"

    def operate(self, form: Form) -> HttpResponse:
        """Store the choice, also for the next sign-in; 404 unless the person is a member there."""
        membership = get_object_or_404(
            memberships_of(self.request), organization__slug=self.request.POST.get("organization", "")
        )
        self.request.session[ORGANIZATION_SESSION_KEY] = membership.organization.slug
        work_in(membership.user, membership.organization)
        return redirect(self.get_success_url())


@login_not_required
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """Send people from the admin's sign-in page to the portal's, so that there is only one.

    Raises PermissionDenied for a signed-in person who may not open the admin.
    """
    if request.user.is_authenticated:
        raise PermissionDenied("The admin is for staff. Ask the portal's operator for access.")
    query = urlencode({"next": request.GET.get("next", reverse("admin:index"))})
    return redirect(f"{reverse('account_login')}?{query}")
