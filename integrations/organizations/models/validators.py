"""What a policy of an organization may hold, where its column's type says too little."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from integrations.core.time_zones import zone_names
from integrations.core.vocabulary import Origin, OriginRule

#: Of a tag of the customer's own.
not_a_portal_tag = RegexValidator(
    r"^\s*codescreen",
    "Tags that begin with “CodeScreen” are the portal's own. Begin with another word.",
    inverse_match=True,
    flags=re.IGNORECASE,
)


def check_time_zone(name: str) -> None:
    """Raise ValidationError for a name that isn't a time zone's."""
    if name not in zone_names():
        raise ValidationError("There is no such time zone. Write a name such as Europe/Warsaw or UTC.")


def check_origins(origins: object) -> None:
    """Raise ValidationError, which names the origin, unless these are rules of Lever's origins."""
    if not isinstance(origins, dict):
        raise ValidationError("Say for each origin what happens: send, hold or skip.")
    for origin, rule in origins.items():
        if origin not in list(Origin):
            raise ValidationError(f"“{origin}” is no origin in Lever. Known are: {', '.join(Origin)}.")
        if rule not in list(OriginRule):
            raise ValidationError(f"“{origin}” must be one of {', '.join(OriginRule)}.")
