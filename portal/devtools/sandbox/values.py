"""Ids, times and JSON values as the pretend platforms write and read them."""

import secrets
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_NAMESPACE = uuid.UUID("6f0c1a52-5a0d-5b0e-9c0f-000000000001")


def new_id() -> str:
    """Return a random id for something made while the sandbox runs."""
    return str(uuid.uuid4())


def stable_id(*names: str) -> str:
    """Return the id that a seeded object has in every run."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(names)))


def new_token() -> str:
    """Return 48 hexadecimal characters, the length of Lever's tokens."""
    return secrets.token_hex(24)


DAY_MS = 24 * 60 * 60 * 1000


def now_ms() -> int:
    """Return the current time in milliseconds."""
    return time.time_ns() // 1_000_000


def iso_text(ms: int) -> str:
    """Return a time in milliseconds as ISO 8601 in UTC with a Z, to the second."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def readable(ms: int | None) -> str:
    """Return a time in milliseconds as the pages show it, or an empty string."""
    return "" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).strftime("%-d %b %Y, %H:%M:%S UTC")


type JsonObject = dict[str, Any]


def text_list(value: object) -> list[str]:
    """Return the strings of a JSON list, or the only one; anything else counts as an empty list."""
    value = [value] if isinstance(value, str) else value
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def pick[T, D](document: Mapping[str, object], key: str, kind: type[T], default: D) -> T | D:
    """Return the document's value under the key if it has the type, else the default."""
    value = document.get(key, default)
    return value if isinstance(value, kind) and not (kind is int and isinstance(value, bool)) else default
