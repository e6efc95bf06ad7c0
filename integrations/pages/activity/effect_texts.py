"""What effects write, in words."""

from integrations.models import AlertTopic, Effect, Result
from integrations.pages.activity.result_labels import result_label
from integrations.workflow.outbox.intended import intended_tags

Kind = Effect.Kind


def written_text(effect: Effect, result: Result | None) -> str:
    """Return what the effect writes: tag, note, result, file or stage; empty where that says nothing more."""
    payload = effect.payload if isinstance(effect.payload, dict) else {}
    match effect.kind:
        case Kind.SET_PROGRESS_TAG | Kind.SET_RESULT_TAG:
            return ", ".join(intended_tags(effect))
        case Kind.LEAVE_NOTE:
            return str(payload.get("text") or "")
        case Kind.MOVE_STAGE:
            return str(payload.get("stage") or "")
        case Kind.WRITE_FEEDBACK:
            rating = f", rating {result.rating} of 4" if result and result.rating else ""
            return f"{result_label(result)}{rating}" if result else ""
        case Kind.ATTACH_REPORT:
            return str(payload.get("name") or "")
        case Kind.SEND_INVITATION:
            return effect.invitation.assessment_name if effect.invitation else ""
        case Kind.SEND_EMAIL:
            return effect.get_email_topic_display()
        case Kind.SEND_ALERT:
            return dict(AlertTopic.choices).get(str(payload.get("type")), "")
    return ""
