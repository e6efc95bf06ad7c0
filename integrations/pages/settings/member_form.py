"""The form that invites a member."""

from typing import Any

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

from integrations.models import Membership, Organization
from integrations.workflow.operations.members import find_invited_user


class InviteMemberForm(forms.Form):
    """The user name, address and role of a new member."""

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
        try:
            find_invited_user(self.organization, cleaned["username"], cleaned["email"])
        except ValidationError as error:
            self.add_error(None, error)
        return cleaned
