"""The form that invites a member."""

from django import forms

from integrations.models import Membership
from integrations.models.pending_membership import LONGEST_ADDRESS


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
