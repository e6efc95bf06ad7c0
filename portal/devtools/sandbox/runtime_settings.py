"""Settings that can be changed while the sandbox runs, checked by name and type."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from portal.devtools.sandbox.http import Refusal
from portal.devtools.sandbox.ids import Json


@dataclass
class Switches:
    """A set of named settings; subclasses add the fields."""

    def update(self, document: Json) -> None:
        """Change the settings a JSON object names; raises a 400 Refusal for unknown ones or wrong types."""
        known = {item.name for item in fields(self)}
        for name in document:
            if name not in known:
                raise Refusal(400, f"unknown setting {name}; known are {', '.join(sorted(known))}")
        changes = {name: _like(getattr(self, name), value, name) for name, value in document.items()}
        for name, value in changes.items():
            setattr(self, name, value)

    def describe(self) -> Json:
        """Return every setting."""
        return asdict(self)


def _like(current: object, value: Any, name: str) -> Any:
    if isinstance(current, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(current, list) and isinstance(value, list):
        return [float(item) for item in value if isinstance(item, int | float)]
    if type(value) is not type(current):
        raise Refusal(400, f"setting {name} has the wrong type")
    return value
