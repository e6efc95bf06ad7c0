"""The form for one role mapping."""

from typing import Any

from django import forms

from integrations.models import RoleMapping


class RoleMappingForm(forms.ModelForm):
    """Role × stage → assessment. Any name may be typed: names are resolved when they are used."""

    class Meta:
        model = RoleMapping
        fields = ["role", "stage", "assessment"]
        widgets = {
            "role": forms.TextInput(attrs={"list": "known-roles", "autocomplete": "off"}),
            "stage": forms.TextInput(
                attrs={"list": "known-stages", "autocomplete": "off", "placeholder": "any CodeScreen stage"}
            ),
            "assessment": forms.TextInput(attrs={"list": "known-assessments", "autocomplete": "off"}),
        }
        labels = {"stage": "Stage (optional)"}

    def clean(self) -> dict[str, Any]:
        """Reject a second mapping for the same role and stage.

        The model's constraint can't be shown here, because it names a column that the form doesn't have.
        """
        cleaned = super().clean() or {}
        duplicates = RoleMapping.objects.filter(
            organization=self.instance.organization_id,
            role=cleaned.get("role", ""),
            stage=cleaned.get("stage", ""),
        )
        if duplicates.exclude(pk=self.instance.pk).exists():
            self.add_error(None, "This role already has an assessment for that stage.")
        return cleaned
