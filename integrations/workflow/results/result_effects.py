"""Enqueue what a result leads to: progress tag, feedback, report as link and file, result tag, move and e-mail."""

from integrations.models import Effect, EmailTopic, Invitation, Result
from integrations.workflow.effects.kinds.feedback import WRITE_FEEDBACK, FeedbackPayload
from integrations.workflow.effects.kinds.move_stage import follow_result
from integrations.workflow.effects.kinds.report_file import enqueue_report
from integrations.workflow.effects.kinds.report_link import ADD_REPORT_LINK, ReportLinkPayload
from integrations.workflow.effects.kinds.tags import SET_RESULT_TAG, ResultTagPayload, enqueue_progress_tag
from integrations.workflow.email.names import UNNAMED, candidate_names, first_name, result_in_words
from integrations.workflow.email.notify import notify_members
from integrations.workflow.rules.tags import choose_progress_tag, choose_result_tag


def enqueue_result_effects(invitation: Invitation, result: Result, is_same: bool) -> None:
    """Enqueue everything that a result leads to in Lever, and the e-mail where the result is new."""
    organization_id = invitation.organization_id
    number = invitation.effects.filter(kind=Effect.Kind.WRITE_FEEDBACK).count() + 1
    _enqueue_tags(invitation, result, number)
    key = f"{invitation.pk}:{number}"
    WRITE_FEEDBACK.enqueue(organization_id, key, FeedbackPayload(result.pk), invitation=invitation)
    if result.report_url:
        ADD_REPORT_LINK.enqueue(
            organization_id,
            f"{invitation.opportunity_id}:{result.report_url}",
            ReportLinkPayload(result.report_url),
            invitation=invitation,
        )
    enqueue_report(invitation, result, number)
    follow_result(invitation, result, number)
    if not is_same:
        _notify_result(invitation, result, number)


def _notify_result(invitation: Invitation, result: Result, number: int) -> None:
    name = invitation.candidate_name
    stated = result_in_words(result.outcome, result.score_text)
    title = f"{first_name(name)}: {stated} ({invitation.assessment_name})"
    links = [f"Report in CodeScreen: {result.report_url}"] if result.report_url else []
    notify_members(
        invitation.organization,
        EmailTopic.RESULT,
        f"{invitation.pk}:{result.attempt}:{number}",
        subject=title,
        lines=[
            f"{name or UNNAMED}: {stated} ({invitation.assessment_name})",
            *links,
        ],
        variables={
            **candidate_names(invitation),
            "result": stated,
            "outcome": result.outcome or "not stated by CodeScreen",
            "score": result.score_text,
            "reason": result.failure_reason,
            "report_link": result.report_url,
        },
        invitation=invitation,
    )


def _enqueue_tags(invitation: Invitation, result: Result, number: int) -> None:
    """Enqueue the progress tag and the result tag: as one effect, unless a later round has the progress tag."""
    progress_tag = choose_progress_tag(invitation.status, result.outcome)
    result_tag = _result_tag(invitation, result, number)
    if enqueue_progress_tag(invitation, progress_tag, result_tag) or result_tag is None:
        return
    key = f"{invitation.pk}:{number}"
    SET_RESULT_TAG.enqueue(invitation.organization_id, key, result_tag, invitation=invitation)


def _result_tag(invitation: Invitation, result: Result, number: int) -> ResultTagPayload | None:
    """Return the customer's own tag for the stated outcome; both are removed when the outcome is no longer stated.

    None when there is nothing to add or to remove.
    """
    organization = invitation.organization
    tags = {
        Result.Outcome.PASSED.value: choose_result_tag(organization.passed_tag, invitation.assessment_name),
        Result.Outcome.FAILED.value: choose_result_tag(organization.failed_tag, invitation.assessment_name),
    }
    given = tags.get(result.outcome, "")
    others = sorted({tag for tag in tags.values() if tag} - {given})
    if given or (others and (number > 1 or invitation.round > 1)):
        return ResultTagPayload(given, others, result.outcome)
    return None
