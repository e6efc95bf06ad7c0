"""What CodeScreen stated about invitations, as short labels."""

from collections.abc import Collection

from integrations.models import Invitation, Result


def latest_results(invitations: Collection[Invitation]) -> dict[int, Result]:
    """Return each invitation's latest result by the invitation's id; one query."""
    completed = [invitation.pk for invitation in invitations if invitation.completed_at]
    if not completed:
        return {}
    results = Result.objects.filter(invitation__in=completed).defer("metadata").order_by("attempt")
    return {result.invitation_id: result for result in results}


def latest_result_labels(invitations: Collection[Invitation]) -> dict[int, str]:
    """Return the label of each invitation's latest result by the invitation's id; one query."""
    return {pk: result_label(result) for pk, result in latest_results(invitations).items()}


def result_label(result: Result) -> str:
    """Return what CodeScreen stated, such as “Passed, score 82”; nothing it didn't state is derived."""
    parts = [result.get_outcome_display() or "result not stated"]
    if result.score is not None:
        parts.append(f"score {result.score_text}")
    if result.failure_reason and result.failure_reason.lower() != parts[0].lower():
        parts.append(result.failure_reason)
    label = ", ".join(parts)
    return label[0].upper() + label[1:]
