"""A person's own account: its page, the proof that it asks for before a change, another password, their memberships."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import transaction
from django.forms import Form, model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import TemplateView

from integrations.accounts.acts.accounts import change_account, follow_new_password
from integrations.accounts.acts.fresh_proof import FRESH, note_proof
from integrations.accounts.models.second_factors import has_second_factor
from integrations.accounts.models.sessions import TooMany
from integrations.audit.models.entry import AuditAction
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
)
from integrations.members.models.membership import folded
from integrations.members.models.pending import PendingMembership
from integrations.notifications.link_emails import read_membership_token
from integrations.pages.access import ORGANIZATION_SESSION_KEY, memberships_of, own_page
from integrations.pages.views import ActView, OperationView
from integrations.queue import notify
from portal.accounts.completion import (
    SignInMethod,
    complete_sign_in,
    record_failure,
    record_refusal,
    with_address,
)
from portal.accounts.password_backend import refusal_of
from portal.accounts.second_factor import REVIEW_FACTORS
from portal.accounts.sessions import row_key
from portal.accounts.throttle import begin_attempt, too_many_in_words

#: The pages that /account/ lists, in this order: the URL name, the title, the icon and what it is for.
ACCOUNT_PAGES = (
    ("memberships", "Organizations", "people", "Accept or decline an invitation, or leave an organization"),
    ("password", "Your password", "key", "Choose another one"),
    ("sessions", "Where you are signed in", "list", "See and end your sessions"),
    (
        "account-second-factor",
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
    """List the pages about the signed-in person's account; store their name on POST."""

    template_name = "accounts/account.html"
    form_class = NameForm
    following_page = "account"

    def get_initial(self) -> dict[str, Any]:
        return model_to_dict(cast(User, self.request.user), NameForm.base_fields)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(pages=ACCOUNT_PAGES, **kwargs)

    def operate(self, form: Form) -> str | None:
        user = cast(User, self.request.user)
        changes = {name: (form.initial[name], form.cleaned_data[name]) for name in form.changed_data}
        for name, (_, value) in changes.items():
            setattr(user, name, value)
        change_account(user, changes, user)
        return "Your name is saved." if changes else None


WRONG_PASSWORD = "That isn't your password."


@method_decorator(sensitive_post_parameters(), name="dispatch")
class ConfirmPersonView(TemplateView):
    """Ask for the password; go on to the page in `next`."""

    template_name = "accounts/confirm.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = cast(User, self.request.user)
        return super().get_context_data(
            next=self._next(),
            minutes=int(FRESH.total_seconds()) // 60,
            has_password=user.has_usable_password(),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Check the password through the same backends as at sign-in, which limit attempts."""
        user = cast(User, request.user)
        found = authenticate(request, username=user.get_username(), password=request.POST.get("password", ""))
        if found is None or found.pk != user.pk:
            refusal = refusal_of(request)
            error = too_many_in_words(refusal) if refusal else WRONG_PASSWORD
            return self.render_to_response(self.get_context_data(error=error))
        note_proof(request)
        return redirect(self._next())

    def _next(self) -> str:
        return own_page(self.request, self.request.GET.get("next", ""), "/account/")


class OwnPasswordForm(PasswordChangeForm):
    """The present password, and a new one twice. The present one is limited as at a sign-in."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.fields["old_password"].label = "Present password"

    def clean_old_password(self) -> str:
        """Return the present password. Raises ValidationError if it is wrong, or too many were tried."""
        attempt = begin_attempt(self.request, self.user.get_username())
        if isinstance(attempt, TooMany):
            record_refusal(self.request, self.user.get_username())
            raise ValidationError(too_many_in_words(attempt))
        if not self.user.check_password(self.cleaned_data["old_password"]):
            record_failure(self.request, self.user.get_username(), attempt)
            raise ValidationError("That isn't your present password.")
        attempt.succeed()
        return str(self.cleaned_data["old_password"])


class OwnPasswordView(PasswordChangeView):
    """Let a signed-in person choose another password; people without one see why they have none."""

    form_class = OwnPasswordForm
    template_name = "accounts/password.html"
    success_url = reverse_lazy("account")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Store the new password; a person without one sees why there is nothing to change."""
        if not self._person().has_usable_password():
            return self.get(request, *args, **kwargs)
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Add the request, for the limits of attempts."""
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Store the new password and end the person's other sessions."""
        with transaction.atomic():
            response = super().form_valid(form)
            follow_new_password(
                self._person(),
                AuditAction.CHANGE_PASSWORD,
                with_address(self.request, {}),
                keep=row_key(self.request),
            )
        notify.notify_workers()
        messages.success(self.request, "Your password was changed. Your other sessions have ended.")
        return redirect(REVIEW_FACTORS) if has_second_factor(self._person()) else response

    def _person(self) -> User:
        return cast(User, self.request.user)


class MembershipsView(TemplateView):
    """Show the organizations that the person belongs to, and those that invite them."""

    template_name = "accounts/memberships.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the memberships, and the invitations to an address that is proven to be the person's."""
        user = cast(User, self.request.user)
        return super().get_context_data(
            memberships=memberships_of(self.request),
            invitations=open_invitations(user),
            is_address_proven=has_proven_address(user),
            **kwargs,
        )


class AnswerInvitationView(ActView):
    """Accept or decline an invitation, signed in, without its link."""

    following_page = "memberships"

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

    following_page = "memberships"

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
        return redirect("memberships")
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
        context["here"] = self.request.path
        if not self.request.user.is_authenticated:
            accounts = list(accounts_of(pending))
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
        return redirect("memberships" if self.request.user.is_authenticated else "login")

    def _accept_with_new_account(self, pending: PendingMembership, proof: InvitationProof) -> HttpResponse:
        user = _new_user(pending)
        form = SetPasswordForm(user, self.request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        user.set_password(form.cleaned_data["new_password1"])
        member = accept_with_new_account(pending, user, proof)
        if isinstance(member, AcceptanceRefusal):
            messages.error(self.request, member.value)
            return redirect(self.request.path)
        notify.notify_workers()
        return complete_sign_in(self.request, user, SignInMethod.PASSWORD_LINK, reverse("overview"))


def _new_user(pending: PendingMembership) -> User:
    """Return the account that the person would get, not stored."""
    return User(username=pending.email, email=pending.email)
