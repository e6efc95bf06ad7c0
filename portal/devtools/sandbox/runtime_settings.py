"""Settings that can be changed while the sandbox runs, checked by name and type."""

from dataclasses import asdict, dataclass, fields

from portal.devtools.sandbox.http.messages import HttpError
from portal.devtools.sandbox.values import JsonObject


@dataclass
class RuntimeSettings:
    """A set of named settings; subclasses add the fields."""

    def update(self, document: JsonObject) -> None:
        """Change the settings a JSON object names; raises a 400 HttpError for unknown ones or wrong types."""
        known = {item.name for item in fields(self)}
        for name in document:
            if name not in known:
                raise HttpError(400, f"unknown setting {name}; known are {', '.join(sorted(known))}")
        changes = {name: _cast(value, getattr(self, name), name) for name, value in document.items()}
        for name, value in changes.items():
            setattr(self, name, value)

    def describe(self) -> JsonObject:
        """Return every setting."""
        return asdict(self)


def _cast(value: object, current: object, name: str) -> object:
    """Return a value as the type of the current one; raises a 400 HttpError where it has another type."""
    if isinstance(current, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(current, list) and isinstance(value, list):
        return [float(item) for item in value if isinstance(item, int | float)]
    if type(value) is not type(current):
        raise HttpError(400, f"setting {name} has the wrong type")
    return value
