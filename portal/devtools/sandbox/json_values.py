"""Loosely typed JSON, read without trusting it."""

from collections.abc import Mapping
from typing import Any

type JsonObject = dict[str, Any]


def text_list(value: object) -> list[str]:
    """Return the strings of a JSON list; anything else counts as an empty list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def pick[T, D](document: Mapping[str, object], key: str, kind: type[T], default: D) -> T | D:
    """Return the document's value under the key if it has the type, else the default."""
    value = document.get(key, default)
    return value if isinstance(value, kind) and not (kind is int and isinstance(value, bool)) else default


def pick_number[D](document: Mapping[str, object], key: str, default: D) -> float | D:
    """Return the document's value under the key if it is a number, else the default."""
    value = document.get(key, default)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default
