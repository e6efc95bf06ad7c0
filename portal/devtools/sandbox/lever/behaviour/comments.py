"""The comments that notes consist of."""

from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.lever.state.opportunity import Opportunity


def comment(
    opportunity: Opportunity, user: str | None, text: str, created_at: int, score: int | None = None
) -> JsonObject:
    """Return one comment of a note, with the stage the opportunity is in."""
    return {
        "type": "note",
        "text": "Comment",
        "value": text,
        "createdAt": created_at,
        "user": user,
        "score": score,
        "stage": opportunity.stage,
    }
