"""The form for one role mapping."""

from typing import Any

from django import forms

from integrations.models import RoleMapping
from integrations.pages.mappings import pick_list


class RoleMappingForm(forms.ModelForm):
    """Role × stage → assessment, chosen from what the platforms list; any name while they list nothing yet."""

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
        help_texts = {
            "role": "A posting in Lever.",
            "stage": "Only to give this role another assessment in one stage.",
            "assessment": "",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the names that the platforms list."""
        super().__init__(*args, **kwargs)
        organization = self.instance.organization
        self._lists = {
            "role": pick_list.roles(organization),
            "stage": pick_list.stages(organization),
            "assessment": pick_list.assessments(organization),
        }
        for name, empty in (
            ("role", "Choose…"),
            ("stage", "Any CodeScreen stage"),
            ("assessment", "Choose…"),
        ):
            self._lists[name].offer(self, name, empty)

    def clean(self) -> dict[str, Any]:
        """Reject what a platform doesn't list, and a second mapping for the same role and stage.

        The model's constraint can't be shown here, because it names a column that the form doesn't have.
        """
        cleaned = super().clean() or {}
        for name, known in self._lists.items():
            # a name that was stored before stays, so that the others can be changed
            is_stored = self.instance.pk and cleaned.get(name) == self.initial.get(name)
            reason = "" if is_stored else known.refusal(str(cleaned.get(name, "")))
            if reason:
                self.add_error(name, reason)
        duplicates = RoleMapping.objects.filter(
            organization=self.instance.organization_id,
            role=cleaned.get("role", ""),
            stage=cleaned.get("stage", ""),
        )
        if duplicates.exclude(pk=self.instance.pk).exists():
            self.add_error(None, "This role already has an assessment for that stage.")
        return cleaned
