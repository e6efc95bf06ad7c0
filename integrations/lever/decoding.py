"""Lenient readers for values in Lever's JSON: a value of another type than the documented one counts as absent."""

from collections.abc import Mapping
from datetime import UTC, datetime

from integrations.http.json_types import JsonObject

_YEAR_3000_IN_MILLISECONDS = 32_503_680_000_000


def text(value: object) -> str:
    """Return the text, empty for anything else."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> tuple[str, ...]:
    """Return the texts of a list, without its other items."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def json_object(value: object) -> JsonObject:
    """Return the JSON object, empty for anything else."""
    return value if isinstance(value, dict) else {}


def json_objects(value: object) -> list[JsonObject]:
    """Return the JSON objects of a list, without its other items."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def referenced_id(value: object) -> str:
    """Return the id of a reference, which may have been expanded into its object."""
    return text(value.get("id")) if isinstance(value, Mapping) else text(value)


def moment(milliseconds: object) -> datetime | None:
    """Return Lever's integer milliseconds since 1970 as a time, None for anything else."""
    if type(milliseconds) is not int or not 0 < milliseconds < _YEAR_3000_IN_MILLISECONDS:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
