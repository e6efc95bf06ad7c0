"""A field for a list of texts."""

from typing import Any

from django import forms


class LinesField(forms.CharField):
    """A list of texts, one in each line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """Return the lines of a stored list; what was entered stays as it is."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the list, without empty lines."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]
