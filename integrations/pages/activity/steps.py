"""How far candidates came in a time: what the overview counts, and what the list of candidates is filtered by."""

from collections.abc import Mapping

from integrations.models import Invitation, Organization, Result
from integrations.models.candidate import CandidateQuerySet
from integrations.pages.days import of_days
from integrations.vocabulary import LabelledEnum, ResultOutcome


class Step(LabelledEnum):
    """A step of a candidate's journey."""

    MOVED = "", "Moved in Lever"
    INVITED = "invited", "Invited"
    STARTED = "started", "Started"
    SUBMITTED = "submitted", "Submitted"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"


#: The time of each step that an invitation has a time of.
_TIMES: Mapping[Step, str] = {
    Step.INVITED: "invited_at",
    Step.STARTED: "begun_at",
    Step.SUBMITTED: "handed_in_at",
}
_OUTCOMES = {Step.PASSED: ResultOutcome.PASSED, Step.FAILED: ResultOutcome.FAILED}


def which_came_to(
    rows: CandidateQuerySet, organization: Organization, step: Step, since: str, until: str
) -> CandidateQuerySet:
    """Return the candidates who came to the step from the first to the last day, which are stated as in an address."""
    if step is Step.MOVED:
        return of_days(rows, "entered_at", since, until)
    if step in _OUTCOMES:
        stated = Result.objects.of_latest_attempts().filter(
            organization=organization, outcome=_OUTCOMES[step]
        )
        ids = of_days(stated, "created_at", since, until).values("invitation__opportunity_id")
        return rows.filter(opportunity_id__in=ids)
    column = _TIMES[step]
    invitations = Invitation.objects.filter(organization=organization)
    # whatever came to a step since then also changed since then, and changed_at has an index
    changed = of_days(invitations, "changed_at", since, "")
    came = of_days(changed.with_steps().filter(**{f"{column}__isnull": False}), column, since, until)
    return rows.filter(opportunity_id__in=came.values("opportunity_id"))
