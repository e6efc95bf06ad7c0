"""Forms of stored rows: one stores what its person changed, not what somebody else has changed since it was opened."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict


class StoredForm(forms.ModelForm):
    """The form of a row. A field that its person left as it was shown stays as it is stored now."""

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        self._posted = data.copy() if data is not None else None
        super().__init__(self._posted, **kwargs)

    def fill_in(self, names: Iterable[str]) -> None:
        """Let those of these fields that aren't posted be as they are stored."""
        if self._posted is not None:
            for name in names:
                self._posted.setdefault(name, self._stored(name))

    def compare_with_shown(self) -> None:
        """Have each field posted with the value that it was shown with; without that the stored one counts as shown."""
        for name, field in self.fields.items():
            field.show_hidden_initial = True
            if self._posted is not None:
                self._posted.setdefault(self.add_initial_prefix(name), self._stored(name))

    def _stored(self, name: str) -> str:
        field = self.fields[name]
        stored = field.prepare_value(self.get_initial_for_field(field, name))
        return "" if stored is None else str(stored)

    def clean(self) -> dict[str, Any]:
        """Keep what is stored of the fields that weren't changed."""
        cleaned = super().clean() or {}
        for name in cleaned.keys() - set(self.changed_data) if self.instance.pk else ():
            cleaned[name] = self.get_initial_for_field(self.fields[name], name)
        return cleaned
