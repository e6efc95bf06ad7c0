"""The form that invites a member."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.validators import UnicodeUsernameValidator

from integrations.models import Membership, Organization


class InviteMemberForm(forms.Form):
    """The user and role of a new member; `cleaned_data["user"]` is the existing user, or None."""

    username = forms.CharField(
        label="User name",
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(
        label="Role", choices=Membership.Role.choices, initial=Membership.Role.TEAM_MEMBER
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization

    def clean(self) -> dict[str, Any]:
        """Reject a user name that belongs to another address, and a user who is already a member."""
        cleaned = super().clean() or {}
        if "username" not in cleaned or "email" not in cleaned:
            return cleaned
        existing = get_user_model().objects.filter(username__iexact=cleaned["username"]).first()
        if existing is not None and (existing.email or "").casefold() != cleaned["email"].casefold():
            self.add_error("username", "Somebody else has this user name. Choose another.")
        elif existing is not None and self.organization.memberships.filter(user=existing).exists():
            self.add_error("username", "This person is a member already: change their role in the list.")
        cleaned["user"] = existing
        return cleaned
