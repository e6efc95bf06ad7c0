"""Fields of forms: for scores, and for the rules of origins, one for each origin in Lever."""

from collections.abc import Mapping

from django import forms
from django.forms import BoundField

from integrations.core.vocabulary import Origin, OriginRule

#: The origin that each of these fields is about; together they are the column `origins`.
ORIGIN_FIELDS = {f"origin_{origin}": origin for origin in Origin}


class ScoresField(forms.Field):
    """Scores with commas between them; the column is a list of numbers, and refuses what is no number."""

    def prepare_value(self, value: object) -> object:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: object) -> list[int | str]:
        parts = [part.strip() for part in str(value or "").split(",")]
        return [int(part) if part.isdecimal() and len(part) <= 3 else part for part in parts]


def origins_in_words(origins: Mapping[str, str]) -> str:
    """Return what happens by the candidate's origin, on one line."""
    named = [f"{one.label}: {OriginRule(origins[one]).label.lower()}" for one in Origin if one in origins]
    return ", ".join(named) or "all are sent"


class OriginFieldsMixin(forms.BaseForm):
    """A form of a row with the column `origins`."""

    def add_origin_fields(self, origins: Mapping[str, str]) -> None:
        """Add a field for each origin, with what is stored of it."""
        for name, origin in ORIGIN_FIELDS.items():
            self.fields[name] = forms.ChoiceField(
                label=f"Origin {origin.label}",
                choices=OriginRule.choices(),
                initial=origins.get(origin, OriginRule.SEND),
                required=False,
            )

    def origins_in(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the column from the fields' values; what isn't among them has no rule."""
        rules = {origin.value: values.get(name, "") for name, origin in ORIGIN_FIELDS.items()}
        return {origin: rule for origin, rule in rules.items() if rule not in ("", OriginRule.SEND)}

    @property
    def origin_fields(self) -> list[BoundField]:
        return [self[name] for name in ORIGIN_FIELDS]
