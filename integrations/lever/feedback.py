"""What the portal reads from Lever's feedback templates and feedback forms, which have the same shape.

Source: https://hire.lever.co/developer/documentation (Feedback, Feedback templates).
"""

from dataclasses import dataclass
from typing import Self

from integrations.http.json_types import JsonObject
from integrations.lever.decoding import json_objects, text


@dataclass(frozen=True)
class FormField:
    """One field of a template or form. `id` differs between a template and the forms made from it."""

    id: str
    type: str
    text: str
    options: tuple[str, ...] = ()
    value: object = None

    @classmethod
    def from_api(cls, data: JsonObject) -> Self:
        """Decode one entry of `fields`."""
        return cls(
            id=text(data.get("id")),
            type=text(data.get("type")),
            text=text(data.get("text")),
            options=tuple(text(option.get("text")) for option in json_objects(data.get("options"))),
            value=data.get("value"),
        )

    def to_json(self) -> JsonObject:
        """Return the field without its value, so that `from_api` decodes it again."""
        options = [{"text": option} for option in self.options]
        return {"id": self.id, "type": self.type, "text": self.text, "options": options}

    @property
    def is_rating(self) -> bool:
        """Whether the field takes a rating. A customer may have renamed it, so its type decides."""
        return self.type in {"score-system", "score"}

    def rating_value(self, rating: int) -> str | int | None:
        """Return the value that stands for `rating` (1 to 4) in this rating field, None when it has none.

        A score system takes the text of one of its options. Customers may reword them (`4 - Strong Hire`,
        `4 - Yes`, …): the leading digit decides, else the order, which runs from 4 down to 1.
        """
        if self.type == "score":
            return rating
        for option in self.options:
            if option.strip().startswith(str(rating)):
                return option
        return self.options[4 - rating] if len(self.options) == 4 else None


@dataclass(frozen=True)
class FeedbackForm:
    """A feedback template, or a feedback form with its values; `template_id` is the template a form was made from."""

    id: str
    text: str
    instructions: str
    is_deleted: bool
    fields: tuple[FormField, ...]
    template_id: str = ""

    @classmethod
    def from_api(cls, data: JsonObject) -> Self:
        """Decode a template or a form; Lever still answers after it was deleted, with `deletedAt`."""
        return cls(
            id=text(data.get("id")),
            text=text(data.get("text")),
            instructions=text(data.get("instructions")),
            is_deleted=bool(data.get("deletedAt")),
            # Lever identifies a field by its text, so of two with the same text the last one counts
            fields=tuple(
                {
                    field.text: field for field in map(FormField.from_api, json_objects(data.get("fields")))
                }.values()
            ),
            template_id=text(data.get("baseTemplateId")),
        )

    def to_json(self) -> JsonObject:
        """Return the template for a copy that `from_api` decodes again."""
        return {
            "id": self.id,
            "text": self.text,
            "instructions": self.instructions,
            "fields": [field.to_json() for field in self.fields],
        }

    @property
    def field_texts(self) -> set[str]:
        """The texts that Lever shows beside the fields."""
        return {field.text for field in self.fields}
