"""The form for the rating thresholds of one assessment."""

from typing import Any

from django import forms

from integrations.models import Organization
from integrations.pages.mappings import pick_list
from integrations.vocabulary import Thresholds


def _score(label: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=0, max_value=100)


class RatingThresholdsForm(forms.Form):
    """An assessment that CodeScreen lists, and the lowest scores for the ratings 2, 3 and 4."""

    assessment = forms.CharField(
        max_length=300,
        widget=forms.TextInput(attrs={"list": "known-assessments", "autocomplete": "off"}),
    )
    rating_2_from = _score("Rating 2 from score")
    rating_3_from = _score("Rating 3 from score")
    rating_4_from = _score("Rating 4 from score")

    def __init__(self, organization: Organization, *args: Any, **kwargs: Any) -> None:
        """Offer the assessments that CodeScreen lists."""
        super().__init__(*args, **kwargs)
        self._assessments = pick_list.assessments(organization)
        self._assessments.offer(self, "assessment", "Choose…")

    def clean_assessment(self) -> str:
        """Reject an assessment that CodeScreen doesn't list."""
        written = str(self.cleaned_data["assessment"])
        if reason := self._assessments.refusal(written):
            raise forms.ValidationError(reason)
        return written

    def clean(self) -> dict[str, Any]:
        """Reject thresholds that don't rise."""
        cleaned = super().clean() or {}
        if not self.errors and list(self.thresholds()) != sorted(self.thresholds()):
            raise forms.ValidationError("Rating thresholds must rise from 2 to 4.")
        return cleaned

    def thresholds(self) -> Thresholds:
        """Return the three scores of a valid form."""
        values = self.cleaned_data
        return values["rating_2_from"], values["rating_3_from"], values["rating_4_from"]
