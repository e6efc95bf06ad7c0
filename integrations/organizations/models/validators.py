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


#: So many answers to one question hold, each so long.
MOST_ANSWERS, LONGEST_ANSWER = 20, 200


def check_answers(answers: object) -> None:
    """Raise ValidationError unless these are answers to a question."""
    _check_texts(answers, "answer", MOST_ANSWERS, LONGEST_ANSWER)


def _check_texts(values: object, noun: str, most: int, longest: int) -> None:
    if not isinstance(values, list) or not all(isinstance(one, str) and one.strip() for one in values):
        raise ValidationError(f"Write each {noun} as a text that isn't empty.")
    if any("\0" in value for value in values):  # which PostgreSQL doesn't store
        raise ValidationError(f"No {noun} may contain a NUL character.")
    if len(values) > most or any(len(value) > longest for value in values):
        raise ValidationError(f"At most {most} {noun}s of {longest} characters: leave the others out.")
