"""The type of a decoded JSON object whose content is not known yet."""

from typing import Any

#: A JSON object from outside: only the code that decodes it into a dataclass looks inside.
JsonObject = dict[str, Any]
