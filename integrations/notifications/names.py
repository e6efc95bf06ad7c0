"""What a candidate and a result are called in a subject."""

from integrations.invitations.models.invitation import Invitation

#: What may stand before a name and isn't one.
_TITLES = frozenset({"candidate", "dr", "mr", "mrs", "ms", "prof"})
#: What stands for a name that isn't known. An erasure takes it for nobody's name.
UNNAMED = "A candidate"
NOT_STATED = "result not stated"


def first_name(name: str) -> str:
    """Return the first word of a name after titles such as “Dr.”; without one, words that stand for it."""
    words = name.split()
    named = [word for word in words if word.casefold().rstrip(".") not in _TITLES]
    return next(iter(named or words), UNNAMED).rstrip(",")


def candidate_names(invitation: Invitation) -> dict[str, str]:
    """Return the variables with the candidate's name."""
    name = invitation.candidate_name
    return {"candidate": name or UNNAMED, "first_name": first_name(name)}


def result_in_words(outcome: str, score: str) -> str:
    """Return a result in a few words: “Passed 82”, “Expired”, or that CodeScreen doesn't state it."""
    if outcome:
        return f"{outcome} {score}".strip()
    return f"{score}, {NOT_STATED}" if score else NOT_STATED
