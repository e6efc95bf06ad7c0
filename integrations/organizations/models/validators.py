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


def default_thresholds() -> list[int]:
    """Return the lowest scores for the ratings 2, 3 and 4 where nobody says others: quarters."""
    return [25, 50, 75]


def check_thresholds(scores: object) -> None:
    """Raise ValidationError unless these are the lowest scores for the ratings 2, 3 and 4."""
    three = scores if isinstance(scores, list) and len(scores) == 3 else []
    are_scores = all(type(one) is int and 0 <= one <= 100 for one in three)
    if not three or not are_scores or three != sorted(three):
        raise ValidationError("Give three whole numbers from 0 to 100 that rise, such as 25, 50, 75.")
