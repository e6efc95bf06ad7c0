"""What a dry run's verdict leads to, as sentences: at once, and later."""

from collections.abc import Iterator
from dataclasses import dataclass

from integrations.models import Effect, Organization
from integrations.verdict_code import VerdictCode
from integrations.vocabulary import ProgressTag
from integrations.workflow.effects.registry import kind_of
from integrations.workflow.inbox.dry_run import DryRun


@dataclass(frozen=True)
class Consequence:
    """One thing that would happen."""

    title: str
    detail: str


def immediate_consequences(dry_run: DryRun) -> list[Consequence]:
    """Return the invitations and effects that the verdict would create."""
    invitations = [
        Consequence(
            f"The invitation is {invitation.words.phrase}",
            f"{invitation.assessment_name}{f', round {invitation.round}' if invitation.round > 1 else ''}",
        )
        for invitation in dry_run.invitations
    ]
    effects = [Consequence(effect.get_kind_display(), _detail(effect)) for effect in dry_run.effects]
    return invitations + effects


def _detail(effect: Effect) -> str:
    kind = kind_of(effect)
    return kind.intended(kind.brief(effect))


def later_consequences(organization: Organization, dry_run: DryRun) -> list[Consequence]:
    """Return what follows once the invitation is approved or sent; nothing for a skip."""
    if dry_run.decision.verdict == VerdictCode.HELD_FOR_APPROVAL:
        detail = "It waits under Candidates. The members who want that get one e-mail for all that waits."
        return [Consequence("Until an Admin says yes or no", detail)]
    if dry_run.decision.verdict != VerdictCode.INVITE:
        return []
    return [*_progress(organization), *_on_result(organization)]


def _progress(organization: Organization) -> Iterator[Consequence]:
    in_lever = ", in a note in Lever" if organization.note_on_skip else ""
    yield Consequence("Once it is sent", f"The tag “{ProgressTag.INVITED}” is set in Lever.")
    yield Consequence("When the candidate starts", f"The tag becomes “{ProgressTag.IN_PROGRESS}”.")
    yield Consequence(
        f"If they haven't started after {organization.no_show_days} days",
        f"The portal no longer asks CodeScreen about it, and says so here, by e-mail{in_lever} and under Health.",
    )
    yield Consequence(
        "When CodeScreen says that it is complete",
        f"The tag becomes “{ProgressTag.COMPLETED}”, feedback with the score, the rating that follows from it and the "
        "report link is written in Lever, and the members who want results get an e-mail.",
    )


def _on_result(organization: Organization) -> Iterator[Consequence]:
    if organization.attach_report:
        yield Consequence("With the feedback", "The report is attached to the candidate in Lever as a PDF.")
    if organization.passed_tag or organization.failed_tag:
        yield Consequence("Then, if CodeScreen says Passed or Failed", "Your own result tag is added.")
    if organization.passed_stage:
        yield Consequence(
            "Then, if CodeScreen says Passed",
            f"They are moved to “{organization.passed_stage}” in Lever, unless a recruiter has moved them before.",
        )
    if organization.hold_failed:
        yield Consequence(
            "Then, if CodeScreen says Failed",
            "They wait under Candidates until somebody says what was decided; nobody is archived.",
        )
