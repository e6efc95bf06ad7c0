"""What effects write, in words."""

from collections.abc import Iterable

from integrations.models import AlertTopic, Effect, Organization, Result
from integrations.pages.activity.result_labels import result_label

Kind = Effect.Kind


def results_of(organization: Organization, effects: Iterable[Effect]) -> dict[int, Result]:
    """Return the results that these effects write as feedback, by their id; one query."""
    ids = {
        effect.payload["result"]
        for effect in effects
        if effect.kind == Kind.WRITE_FEEDBACK and isinstance(effect.payload.get("result"), int)
    }
    results = Result.objects.filter(organization=organization, pk__in=ids).defer("metadata")
    return {result.pk: result for result in results}


def written_text(effect: Effect, results: dict[int, Result]) -> str:
    """Return what the effect writes: the tag, the note, the result or the stage; empty where that says nothing more."""
    payload = effect.payload if isinstance(effect.payload, dict) else {}
    match effect.kind:
        case Kind.SET_PROGRESS_TAG:
            result_tag = payload.get("result")
            tags = [payload.get("tag"), result_tag.get("tag") if isinstance(result_tag, dict) else None]
            return ", ".join(str(tag) for tag in tags if tag)
        case Kind.SET_RESULT_TAG:
            return str(payload.get("tag") or "")
        case Kind.LEAVE_NOTE:
            return str(payload.get("text") or "")
        case Kind.MOVE_STAGE:
            return str(payload.get("stage") or "")
        case Kind.WRITE_FEEDBACK:
            result = results.get(payload.get("result", 0))
            rating = f", rating {result.rating} of 4" if result and result.rating else ""
            return f"{result_label(result)}{rating}" if result else ""
        case Kind.SEND_INVITATION:
            return effect.invitation.assessment_name if effect.invitation else ""
        case Kind.SEND_EMAIL:
            return effect.get_email_topic_display()
        case Kind.SEND_ALERT:
            return dict(AlertTopic.choices).get(str(payload.get("type")), "")
    return ""
