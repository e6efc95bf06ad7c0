"""The form for an organization's policies."""

from typing import Any

from django import forms
from django.http import QueryDict

from integrations.models import Organization
from integrations.models.organization import BRANDING, POLICIES, SECURITY

#: Policies with a page or form of their own.
ELSEWHERE = (*BRANDING, *SECURITY, "feedback_author")


class PoliciesForm(forms.ModelForm):
    """The organization's policies."""

    class Meta:
        model = Organization
        fields = [name for name in POLICIES if name not in ELSEWHERE]
        labels = {
            "paused": "Pause: send nothing for now",
            "note_on_skip": "Leave a note in Lever when nothing was sent",
            "bulk_limit": "Hold invitations beyond",
            "bulk_window": "within this many minutes",
            "rating_2_from": "Rating 2 from score",
            "rating_3_from": "Rating 3 from score",
            "rating_4_from": "Rating 4 from score",
            "rating_follows_result": "Never rate against CodeScreen’s own result",
            "reentry": "Entering the stage again",
            "reentry_days": "Days since completion for a new round",
            "leaving": "Leaving the stage before starting",
            "no_show_days": "Days to start an invitation",
            "retention_days": "Remove personal data after days",
            "call_retention_days": "Delete records of calls after days",
            "delivery_retention_days": "Reduce webhooks to ids after days",
            "passed_tag": "Tag for Passed",
            "failed_tag": "Tag for Failed",
            "passed_stage": "Stage on pass",
            "hold_failed": "Hold those who failed for a person",
        }
        widgets = {
            "default_assessment": forms.TextInput(attrs={"list": "known-assessments", "autocomplete": "off"}),
            "passed_stage": forms.TextInput(attrs={"list": "known-targets", "autocomplete": "off"}),
        }

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        """Fill in the stored value of each field that isn't posted, except checkboxes, which mean off then."""
        if data is not None:
            data = data.copy()
            for name in self.Meta.fields:
                if not isinstance(self.base_fields[name], forms.BooleanField):
                    data.setdefault(name, str(getattr(kwargs["instance"], name)))
        super().__init__(data, **kwargs)

    def changed_values(self) -> dict[str, Any]:
        """Return the policies that differ from what is stored."""
        return {name: self.cleaned_data[name] for name in self.changed_data}
