"""What CodeScreen said of each invitation in a list, in a few words; one query for the whole list."""

from collections.abc import Iterable

from integrations.models import Invitation, Result


def with_results(invitations: Iterable[Invitation]) -> list[Invitation]:
    """Give each invitation its latest result in words as `outcome_words`, empty where there is none; the rows."""
    rows = list(invitations)
    done = [row.pk for row in rows if row.completed_at]
    found = Result.objects.filter(invitation__in=done).order_by("attempt") if done else []
    latest = {result.invitation_id: result for result in found}
    for row in rows:
        result = latest.get(row.pk)
        row.outcome_words = words(result) if result else ""  # type: ignore[attr-defined]
    return rows


def words(result: Result) -> str:
    """Return what CodeScreen stated, such as “Passed, score 82”; what it didn't state isn't made up."""
    said = [result.get_outcome_display() or "result not stated"]
    if result.score is not None:
        said.append(f"score {result.score}")
    if result.failure_reason:
        said.append(result.failure_reason)
    text = ", ".join(said)
    return text[0].upper() + text[1:]
