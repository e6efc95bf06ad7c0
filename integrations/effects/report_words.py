"""What the report as a file says: read from the stored result, and from nothing else."""

from collections.abc import Iterator
from datetime import UTC
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as in_words

from integrations.effects.report_pdf import ReportWords
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.notifications.names import first_name

NOT_STATED = "Not stated by CodeScreen"


def report_file_name(invitation: Invitation, number: int) -> str:
    """Return the name of an invitation's file in Lever; `number` differs for each that is attached."""
    return f"{_stem(invitation)}{number}.pdf"


def is_report_of(invitation: Invitation, name: str) -> bool:
    """Whether a file in Lever is a report that was attached for this invitation."""
    return _stem(invitation) in name


def _stem(invitation: Invitation) -> str:
    return f"codescreen-report-{invitation.reference}-"


def report_words(invitation: Invitation, result: Result) -> ReportWords:
    """Return the words of a report on a result, as the rules of the organization want it now."""
    organization = invitation.organization
    attempt = f" (attempt {result.attempt})" if result.attempt > 1 else ""
    return ReportWords(
        organization=organization.name,
        candidate=_candidate(invitation),
        assessment=f"{invitation.assessment_name}{attempt}",
        role=invitation.role_title,
        outcome=result.outcome,
        result=result.outcome or NOT_STATED,
        score=f"{result.score_text} of 100" if result.score_text else "",
        rating=f"{result.rating} of 4" if result.rating else "",
        reason=result.failure_reason,
        report_url=result.report_url,
        dates=[[label, text] for label, text in _dates(invitation)],
        zone=organization.report_time_zone,
        reference=invitation.reference,
        made_at=(invitation.completed_at or result.created_at).astimezone(UTC).isoformat(),
    )


def _candidate(invitation: Invitation) -> str:
    """Return the first name where the organization wants it; empty where there is none, or no font shows it."""
    name = invitation.candidate_name.strip()
    if not name or not invitation.organization.report_names_candidate:
        return ""
    # the PDF library is loaded only where a report is made
    from integrations.effects.report_pdf import is_printable  # noqa: PLC0415

    first = first_name(name)
    return first if is_printable(first) else ""


def _dates(invitation: Invitation) -> Iterator[tuple[str, str]]:
    zone = ZoneInfo(invitation.organization.report_time_zone)
    for label, moment in (
        ("Invited", invitation.invited_at),
        ("Started", invitation.started_at),
        ("Submitted", invitation.submitted_at),
        ("Completed", invitation.completed_at),
    ):
        if moment is not None:
            yield label, in_words(moment.astimezone(zone), "j M Y, H:i")
