"""What JSON holds: objects whose content is not known yet, and numbers."""

from decimal import Decimal
from typing import Any

#: A JSON object from outside: only the code that decodes it into a dataclass looks inside.
JsonObject = dict[str, Any]


def number(value: Decimal | None) -> int | float | None:
    """Return a number for JSON, without a fraction where it has none."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)
