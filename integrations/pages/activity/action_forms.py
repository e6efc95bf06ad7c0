"""What a person enters beside an action on the activity pages."""

from django import forms


class ReasonForm(forms.Form):
    """The optional reason for an action, kept in the audit log."""

    reason = forms.CharField(required=False, max_length=500)


class ResolveForm(ReasonForm):
    """The CodeScreen instance of an uncertain invitation that did arrive, with the reason."""

    instance_id = forms.CharField(label="CodeScreen's instance id", max_length=200)
