"""The form for the logo, colour and signature of an organization's e-mails."""

from typing import Any

from django import forms

from integrations.models import Organization
from integrations.models.organization import BRANDING


class BrandingForm(forms.ModelForm):
    """The logo, colour and signature that every e-mail carries."""

    class Meta:
        model = Organization
        fields = list(BRANDING)
        labels = {
            "brand_logo_url": "Logo",
            "brand_colour": "Colour",
            "brand_signature": "Signature",
        }
        widgets = {
            "brand_logo_url": forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
            "brand_colour": forms.TextInput(attrs={"type": "color"}),
            "brand_signature": forms.Textarea(attrs={"rows": 3}),
        }

    def clean_brand_signature(self) -> str:
        """Normalize the browser's line ends."""
        return str(self.cleaned_data["brand_signature"]).replace("\r\n", "\n")

    def changed_values(self) -> dict[str, Any]:
        """Return the fields that differ from what is stored."""
        return {name: self.cleaned_data[name] for name in self.changed_data}
