"""The page Team: members, invitations, roles, second factors, removing somebody; and people from Lever."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView

from integrations.accounts.acts.fresh_proof import FreshProofMixin, proof_wanted
from integrations.accounts.acts.second_factors import reset_for_member, with_factors
from integrations.core.vocabulary import ActionNotAllowed
from integrations.health.findings import counted
from integrations.http.session import PlatformError
from integrations.members.acts.invitations import (
    LIMITS,
    PROPOSED,
    invite,
    invite_proposed,
    proposals,
    send_again,
)
from integrations.members.acts.members import change_role, may_set_password
from integrations.members.end_access import PENDING_MEMBERSHIPS, remove_member, withdraw
from integrations.members.models.membership import (
    LONGEST_ADDRESS,
    ONLY_ORGANIZATION_SESSION_KEY,
    SUPER_ADMINS,
    Membership,
    PendingMembership,
)
from integrations.notifications.link_emails import (
    MOST_PER_HOUR,
    choose_password_link,
    is_mail_sent,
    membership_link,
)
from integrations.organizations.acts import is_less_secure, set_policies
from integrations.organizations.models.organization import Organization
from integrations.pages.access import OrganizationMixin
from integrations.pages.views import (
    ActView,
    OperationView,
    RowMixin,
    shows_secret,
)
from integrations.single_sign_on.models import provider_of


class InviteMemberForm(forms.Form):
    """The address and role of a new member. The person is told nothing about accounts, and neither is who invites."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=LONGEST_ADDRESS,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label="Role", choices=Membership.Role.choices, initial=Membership.Role.TEAM_MEMBER
    )


@shows_secret
class TeamView(OrganizationMixin, OperationView):
    """Show the members and the invitations, and with `?people` who in Lever is neither.

    On POST invite somebody by an e-mail address. The answer doesn't tell whether they have an account.
    """

    template_name = "integrations/team.html"
    allowed_roles = SUPER_ADMINS
    form_class = InviteMemberForm
    following_page = "team"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        members = list(
            with_factors(self.organization.memberships.select_related("user").order_by("user__username"))
        )
        pending_members = list(self.organization.pending_memberships.order_by("email"))
        people = _people_in_lever(self.organization, self.request.GET) if "people" in self.request.GET else {}
        return super().get_context_data(
            members=members,
            without=sum(not (member.has_app or member.has_passkey) for member in members),
            provider=provider_of(self.organization),
            # only where the portal can't send it: everybody who has it can answer for the person
            pending_members=[
                (one, membership_link(one) if one.is_open and not is_mail_sent() else "")
                for one in pending_members
            ],
            is_mail_sent=is_mail_sent(),
            roles=Membership.Role.choices,
            people=people,
            **kwargs,
        )

    def operate(self, form: Form) -> str | HttpResponseBase:
        """Send the invitation; the person becomes a member when they accept. A Super Admin's takes a fresh proof."""
        email, role = form.cleaned_data["email"], form.cleaned_data["role"]
        if role in SUPER_ADMINS and (wanted := proof_wanted(self.request, reverse("team"))):
            return wanted
        pending = invite(self.organization, email, role, self.user)
        if not is_mail_sent():
            return f"The link for {pending.email} is among the invitations."
        return f"The invitation is on its way to {pending.email}."


class PendingMixin(RowMixin[PendingMembership]):
    """An act on one invitation, which returns to the invitations."""

    model, allowed_roles = PendingMembership, PENDING_MEMBERSHIPS.roles
    following_page = "team"
    anchor = "#invited"


class PendingMemberView(PendingMixin, ActView):
    """Send an invitation again."""

    def operate(self, form: Form) -> str:
        send_again(self.row, self.user)
        if not is_mail_sent():
            return f"The link for {self.row.email} is new. Earlier links have ended."
        return f"The invitation is on its way to {self.row.email}. Earlier links have ended."


class WithdrawInvitationView(PendingMixin, ActView):
    """Withdraw an invitation."""

    def operate(self, form: Form) -> str:
        withdraw(self.row, self.user)
        return f"The invitation to {self.row.email} is withdrawn; its link no longer works."


class MemberMixin(RowMixin[Membership]):
    """A view of one member."""

    model, allowed_roles = Membership, SUPER_ADMINS


@shows_secret
class MemberLinkView(MemberMixin, FreshProofMixin, TemplateView):
    """Show how a member without a password gets one: by e-mail, or by a link for somebody without an address.

    It takes a fresh proof: the link opens another's account.
    """

    template_name = "integrations/member_link.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the link; empty for a person who has an address or a password, or is a member elsewhere too."""
        link = choose_password_link(self.row.user) if may_set_password(self.row) else ""
        return super().get_context_data(link=link, **kwargs)


class ChangeRoleView(MemberMixin, ActView):
    """Give a member another role."""

    following_page = "team"

    def operate(self, form: Form) -> str | HttpResponseBase | None:
        """Change the role, unless the member is the last Super Admin; a new one takes a fresh proof."""
        role, member = self.request.POST.get("role", ""), self.row
        if role in SUPER_ADMINS and (wanted := proof_wanted(self.request, reverse("team"))):
            return wanted
        if role not in Membership.Role.values:
            raise ActionNotAllowed("There is no such role.")
        if not change_role(member, role, self.user):
            return None
        return f"{member.name} is {member.get_role_display()} now."


class RemoveMemberView(MemberMixin, ActView):
    """Remove a member."""

    following_page = "team"

    def operate(self, form: Form) -> str | HttpResponse:
        """Remove the member, unless they are the last Super Admin."""
        member = self.row
        remove_member(member, self.user)
        said = f"{member.name} is no longer a member."
        if member.user_id != self.user.pk:
            return said
        messages.success(self.request, said)
        return redirect("overview")


SIGN_IN_THERE_FIRST = "First sign in with the provider yourself, which shows that it works. Then require it."


class RequireSecondFactorView(OrganizationMixin, ActView):
    """Require a second factor, and sign-in by the organization's provider alone, or not."""

    allowed_roles = SUPER_ADMINS
    following_page = "team"
    anchor = "#sign-in"

    def operate(self, form: Form) -> str | HttpResponseBase | None:
        """Store what is required; to require less takes a fresh proof."""
        values = {"requires_second_factor": "requires_second_factor" in self.request.POST}
        if provider_of(self.organization):
            values["requires_single_sign_on"] = "requires_single_sign_on" in self.request.POST
        if values.get("requires_single_sign_on") and not self._may_require_provider():
            raise ActionNotAllowed(SIGN_IN_THERE_FIRST)
        if is_less_secure(self.organization, values) and (
            proof := proof_wanted(self.request, reverse("team"))
        ):
            return proof
        changes = set_policies(self.organization, values, self.user)
        if not changes:
            return None
        if "requires_second_factor" not in changes:
            return "Your choice is stored. It counts from the next sign-in on."
        if values["requires_second_factor"]:
            return "A second factor is required now, of every session that is open too."
        return "A second factor is no longer required. Members who have one are still asked for it."

    def _may_require_provider(self) -> bool:
        """Whether it is required already, or the provider is known to work: it began this session."""
        began = self.request.session.get(ONLY_ORGANIZATION_SESSION_KEY)
        return self.organization.requires_single_sign_on or began == self.organization.pk


class ResetSecondFactorView(MemberMixin, FreshProofMixin, ActView):
    """Reset a member's second factor. It takes a fresh proof: it opens another's account."""

    page_of_form = following_page = "team"

    def operate(self, form: Form) -> str | HttpResponse:
        """Reset it, unless it isn't this organization's to decide."""
        member = self.row
        if reset_for_member(member, self.user, form.cleaned_data["reason"]):
            return f"The second factor of {member.name} is reset, and they are told by e-mail."
        messages.info(self.request, f"{member.name} has no second factor.")
        return redirect("team")


# Lever's users who are proposed as members, role by role

#: As many as may be invited within an hour.
PAGE_SIZE = MOST_PER_HOUR
LEFT_OUT = f"Left out: people who aren't proposed any more, and those beyond the limits. {LIMITS}"


def _people_in_lever(organization: Organization, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return who in Lever isn't a member yet, of one role; why, where Lever doesn't tell."""
    try:
        found = proposals(organization)
    except PlatformError as error:
        return {"problem": str(error)}
    by_role = {role: [one for one in found if one.role == role] for role in PROPOSED.values()}
    role = next((one for one in by_role if one == asked.get("people")), None)
    role = role or next((one for one, people in by_role.items() if people), PROPOSED["super admin"])
    page = Paginator(by_role[role], PAGE_SIZE).get_page(asked.get("page"))
    return {"counts": [(one, len(people)) for one, people in by_role.items()], "role": role, "page": page}


class LeverPeopleView(OrganizationMixin, ActView):
    """Invite those in Lever who are ticked."""

    allowed_roles = SUPER_ADMINS
    following_page = "team"

    def operate(self, form: Form) -> str | HttpResponseBase:
        """Invite them; they become members when they accept. Super Admins take a fresh proof."""
        role, addresses = self.request.POST.get("role", ""), set(self.request.POST.getlist("address"))
        if not addresses:
            raise ActionNotAllowed("Tick somebody first.")
        page = f"{reverse('team')}?people={role}"
        if role in SUPER_ADMINS and (wanted := proof_wanted(self.request, page)):
            return wanted
        invited = invite_proposed(self.organization, role, addresses, self.user)
        if not invited:
            raise ActionNotAllowed(f"Nobody was invited. {LEFT_OUT}")
        said = f"{counted(len(invited), 'invitation')} made. Who accepts becomes a member."
        return said if len(invited) == len(addresses) else f"{said} {LEFT_OUT}"
