"""Parse a webhook's body: strict JSON, then the types of the fields that are read."""

import json
import math
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ParseError

from integrations.http.json_types import JsonObject

MAX_DEPTH = 100
MAX_ID = 200
#: A webhook has some dozens of values. To decode 87,000 takes a second of a body that nobody has signed yet, so what
#: separates values is counted first, also inside texts; prose that fills a whole body has less than half of this.
MOST_SEPARATORS = 10_000
_SEPARATORS = (b"{", b"[", b",", b":")


def parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body. Raises ParseError for what can't be stored or is ambiguous.

    Refused besides malformed JSON: NaN and Infinity, duplicate keys, NUL, lone surrogates, nesting over MAX_DEPTH,
    bytes that aren't UTF-8. PostgreSQL can't store some of these, and none has one clear meaning. A body of very many
    values is refused before it is decoded.
    """
    if sum(body.count(separator) for separator in _SEPARATORS) > MOST_SEPARATORS:
        raise ParseError("The body holds more values than any webhook.")
    try:
        document = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique_keys, parse_constant=_refuse_constant
        )
        _check(document, 1)
    except (ValueError, RecursionError) as error:
        raise ParseError("The body is not a JSON object that can be stored.") from error
    if not isinstance(document, dict):
        raise ParseError("The body is not a JSON object that can be stored.")
    return document


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("duplicate key")
    return document


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _check(value: Any, depth: int) -> None:
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
            _check(key, depth + 1)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


class Text(serializers.CharField):
    """A text as it arrived: numbers aren't converted, and surrounding spaces count towards its length."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(trim_whitespace=False, **limits)

    def to_internal_value(self, data: Any) -> str:
        """Refuse what CharField would convert to text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class OptionalId(Text):
    """An id that may be absent or null, but is never another type."""

    def __init__(self) -> None:
        super().__init__(required=False, allow_null=True, allow_blank=True, max_length=MAX_ID)


class LeverEnvelope(serializers.Serializer[JsonObject]):
    """Lever's webhook body; only the fields that are read."""

    id = OptionalId()
    event = Text(max_length=100)
    triggeredAt = serializers.IntegerField()
    token = Text()
    signature = Text()
    data = serializers.DictField(required=False, allow_null=True)  # type: ignore[assignment]  # the platforms call it that

    def validate_data(self, data: dict[str, Any] | None) -> dict[str, Any]:
        """Check the ids that are read; a test request may have null for data."""
        data = data or {}
        for name in ("opportunityId", "candidateId", "contactId", "toStageId", "fromStageId"):
            value = data.get(name)
            if value is not None and (not isinstance(value, str) or len(value) > MAX_ID):
                raise serializers.ValidationError(f"{name} must be a text of at most {MAX_ID} characters.")
        return data


class CodeScreenEnvelope(serializers.Serializer[JsonObject]):
    """CodeScreen's webhook body; only the fields that are read."""

    type = Text(max_length=100)
    data = serializers.DictField()  # type: ignore[assignment]  # the platforms call it that

    def validate_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Check the ids that are read."""
        for name in ("assessmentInstanceId", "externalId"):
            value = data.get(name)
            if value is not None and (not isinstance(value, str) or len(value) > 300):
                raise serializers.ValidationError(f"{name} must be a text.")
        return data


# made once: a serializer keeps nothing of what it validates, and to make one costs as much as to use it ten times
LEVER_ENVELOPE = LeverEnvelope()
CODESCREEN_ENVELOPE = CodeScreenEnvelope()
