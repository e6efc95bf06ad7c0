"""What a webhook's body must be: JSON that is read strictly, then an envelope with the fields that are read."""

import json
import math
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ParseError

MAX_DEPTH = 100
KEPT_ID = 200


# reading a body strictly


def parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body. Raises ParseError for what no honest sender sends.

    Refused besides malformed JSON: NaN and Infinity, duplicate keys, NUL, lone surrogates, nesting over MAX_DEPTH,
    bytes that aren't UTF-8. PostgreSQL can't store some of these, and none has one clear meaning.
    """
    try:
        document = json.loads(
            body.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_no_constant
        )
        _inspect(document, 1)
    except (ValueError, RecursionError) as error:
        raise ParseError("The body is not a JSON object that can be stored.") from error
    if not isinstance(document, dict):
        raise ParseError("The body is not a JSON object that can be stored.")
    return document


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _inspect(value: Any, depth: int) -> None:
    if isinstance(value, dict | list) and depth > MAX_DEPTH:
        raise ValueError("too deep")
    if isinstance(value, str):
        value.encode("utf-8")  # a lone surrogate has no encoding
        if "\x00" in value:
            raise ValueError("NUL")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not finite")
    elif isinstance(value, dict):
        for key, item in value.items():
            _inspect(key, depth + 1)
            _inspect(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _inspect(item, depth + 1)


# what an envelope must look like


class Text(serializers.CharField):
    """A text as it arrived: numbers aren't turned into one, and its length counts the spaces around it too."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(trim_whitespace=False, **limits)

    def to_internal_value(self, data: Any) -> str:
        """Refuse what CharField would turn into text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class OptionalId(Text):
    """An id that may be absent or null, but is never another type."""

    def __init__(self) -> None:
        super().__init__(required=False, allow_null=True, allow_blank=True, max_length=KEPT_ID)


class LeverEnvelope(serializers.Serializer):
    """Lever's webhook body; only the fields that are read."""

    id = OptionalId()
    event = Text(max_length=100)
    triggeredAt = serializers.IntegerField()
    token = Text()
    signature = Text()
    data = serializers.DictField(required=False)  # type: ignore[assignment]  # the envelope's own word

    def validate_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Check the ids that are read."""
        for name in ("opportunityId", "contactId", "toStageId", "fromStageId"):
            value = data.get(name)
            if value is not None and (not isinstance(value, str) or len(value) > KEPT_ID):
                raise serializers.ValidationError(f"{name} must be a text of at most {KEPT_ID} characters.")
        return data


class CodeScreenEnvelope(serializers.Serializer):
    """CodeScreen's webhook body; only the fields that are read."""

    type = Text(max_length=100)
    data = serializers.DictField()  # type: ignore[assignment]  # the envelope's own word

    def validate_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Check the ids that are read."""
        for name in ("assessmentInstanceId", "externalId"):
            value = data.get(name)
            if value is not None and (not isinstance(value, str) or len(value) > 300):
                raise serializers.ValidationError(f"{name} must be a text.")
        return data
