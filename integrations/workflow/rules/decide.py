"""Facts → verdict: the order of the checks is the order of `VerdictCode`, and the first that holds wins."""

from dataclasses import replace

from integrations.vocabulary import DeliveryEvent, InvitationStatus, ReentryPolicy, ResultOutcome, VerdictCode
from integrations.workflow.rules.addresses import first_usable_email
from integrations.workflow.rules.assessment_match import (
    AssessmentMatch,
    choose_assessment,
    depends_on_hidden_role,
)
from integrations.workflow.rules.assessments import KnownAssessment
from integrations.workflow.rules.facts import CandidateSnapshot, Decision, ExistingInvitation, Facts
from integrations.workflow.rules.naming import closest_name

INVITING_EVENTS = frozenset(DeliveryEvent)


HIDDEN_ROLE = (
    "Lever doesn't show this candidate's role to the portal, so a mapping by its title can't be found."
)


def decide(facts: Facts) -> Decision:
    """Return the verdict on complete facts, with its explanation."""
    early = decide_before_read(facts)
    if early is not None:
        return early
    candidate = facts.candidate
    if not isinstance(candidate, CandidateSnapshot):
        return Decision(
            VerdictCode.NOT_VISIBLE,
            "Lever doesn't show this candidate to the portal: it is confidential or gone.",
        )
    return _decide_candidate(facts, candidate) or _decide_assessment(facts, candidate)


def decide_locally(facts: Facts) -> Decision | None:
    """Return the verdict that holds without asking Lever anything, or None."""
    if facts.is_test:
        return Decision(VerdictCode.TEST_REQUEST, "Lever tested the connection and reached the portal.")
    if facts.is_paused:
        return Decision(
            VerdictCode.PAUSED,
            "The organization is paused: nothing is sent. This is kept and decided afterwards.",
        )
    if facts.disconnected_reason:
        return Decision(
            VerdictCode.DISCONNECTED,
            f"{facts.disconnected_reason} This is kept and decided when the connection is back.",
        )
    if facts.event not in INVITING_EVENTS:
        return Decision(VerdictCode.IGNORED_EVENT, f"The portal doesn't act on “{facts.event}”.")
    if facts.is_erased:
        return Decision(VerdictCode.ERASED, "This person's data was erased, so nobody is invited.")
    return None


def decide_before_read(facts: Facts) -> Decision | None:
    """Return the verdict that holds without reading the opportunity, or None."""
    early = decide_locally(facts)
    if early is not None:
        return early
    if not facts.trigger_policy.is_trigger(facts.stage_id, facts.stage_name):
        stage = f"“{facts.stage_name}”" if facts.stage_name else "A stage that Lever doesn't list"
        return Decision(
            VerdictCode.NOT_A_TRIGGER_STAGE,
            f"{stage} doesn't begin with “{facts.stage_prefix}”, and no mapping names it.",
        )
    return None


def _decide_candidate(facts: Facts, candidate: CandidateSnapshot) -> Decision | None:
    """Return the verdict when the candidate's own state rules an invitation out."""
    if candidate.stage_id != facts.stage_id:
        now_in = f" and is in “{candidate.stage_name}” now" if candidate.stage_name else ""
        return Decision(VerdictCode.LEFT_STAGE, f"The candidate has left “{facts.stage_name}”{now_in}.")
    if candidate.is_archived:
        return Decision(VerdictCode.ARCHIVED, "The candidate is archived in Lever.")
    if candidate.is_anonymized:
        return Decision(VerdictCode.ANONYMIZED, "Lever has anonymized this candidate.")
    if facts.entered_before:
        return Decision(
            VerdictCode.ENTERED_BEFORE,
            f"The candidate was in “{facts.stage_name}” before Lever was connected, and may have been invited already.",
        )
    if not candidate.may_contact:
        return Decision(
            VerdictCode.CONTACT_NOT_ALLOWED,
            "Lever's data protection says this candidate may not be contacted.",
        )
    return None


def _decide_assessment(facts: Facts, candidate: CandidateSnapshot) -> Decision:
    match = choose_assessment(facts, candidate)
    if match is None:
        role = f"“{candidate.role_title}”" if candidate.role_title else "this candidate's role"
        decision = Decision(
            VerdictCode.NO_ASSESSMENT,
            f"No mapping for {role}, no tag “CodeScreen …” on the candidate and no default names an assessment.",
        )
    else:
        decision = replace(
            _decide_match(facts, candidate, match),
            assessment_source=match.source,
            assessment_written=match.written[0],
        )
    if depends_on_hidden_role(facts, candidate):
        return replace(decision, explanation=f"{decision.explanation} {HIDDEN_ROLE}")
    return decision


def _decide_match(facts: Facts, candidate: CandidateSnapshot, match: AssessmentMatch) -> Decision:
    if match.unknown:
        return _unknown_assessment(facts, match)
    if len(match.found) > 1:
        names = ", ".join(f"“{assessment.name}”" for assessment in match.found)
        return Decision(
            VerdictCode.AMBIGUOUS_ASSESSMENT,
            f"Several assessments are named by {match.source.label}: {names}.",
        )
    assessment = match.found[0]
    email = first_usable_email(candidate.emails)
    if not email:
        return Decision(VerdictCode.NO_EMAIL, "The candidate has no e-mail address in Lever.", assessment)
    decision = _decide_invitation(facts, assessment, match)
    return replace(decision, assessment=assessment, email=email)


def _unknown_assessment(facts: Facts, match: AssessmentMatch) -> Decision:
    written = match.written[0]
    meant = closest_name(written, [assessment.name for assessment in facts.assessments])
    hint = f" Did you mean “{meant}”?" if meant else ""
    return Decision(
        VerdictCode.UNKNOWN_ASSESSMENT,
        f"CodeScreen has no assessment “{written}”, which {match.source.label} names.{hint}",
    )


def _decide_invitation(facts: Facts, assessment: KnownAssessment, match: AssessmentMatch) -> Decision:
    """Return the verdict once it is clear what would be sent: whether it was sent before, or goes out now."""
    here = [row for row in facts.invitations_here if row.assessment_id == assessment.id]
    elsewhere = [row for row in facts.invitations_elsewhere if row.assessment_id == assessment.id]
    round_number = max([row.round for row in here], default=1)
    for latest in _latest_blocking(here):
        if latest.was_refused:
            return Decision(
                VerdictCode.ALREADY_INVITED,
                f"A person said no to “{assessment.name}” on {latest.since}, and this entry is older.",
                existing_invitation_id=latest.id,
            )
        if not _starts_new_round(facts, latest):
            return Decision(
                VerdictCode.ALREADY_INVITED,
                f"The candidate already has “{assessment.name}”: {latest.status_phrase} since {latest.since}.",
                existing_invitation_id=latest.id,
            )
        round_number = latest.round + 1
    for latest in _latest_blocking([replace(row, was_refused=False) for row in elsewhere]):
        if not _starts_new_round(facts, latest):
            return Decision(
                VerdictCode.INVITED_ELSEWHERE,
                f"The same person already has “{assessment.name}” through another opportunity: "
                f"{latest.status_phrase} since {latest.since}.",
                existing_invitation_id=latest.id,
            )
    if facts.bulk_limit and facts.recently_invited >= facts.bulk_limit:
        return Decision(
            VerdictCode.HELD_FOR_APPROVAL,
            f"{facts.recently_invited} invitations went out within {facts.bulk_window} minutes, and the limit is "
            f"{facts.bulk_limit}: “{assessment.name}” waits for a yes.",
            round=round_number,
        )
    again = f" It is round {round_number}." if round_number > 1 else ""
    return Decision(
        VerdictCode.INVITE,
        f"“{assessment.name}” is sent: {match.source.label} names it.{again}",
        round=round_number,
    )


def _latest_blocking(invitations: list[ExistingInvitation]) -> list[ExistingInvitation]:
    """Return of each opportunity the latest round of those because of which the person isn't invited again."""
    latest: dict[str, ExistingInvitation] = {}
    for invitation in invitations:
        known = latest.get(invitation.opportunity_id)
        if (invitation.blocks or invitation.was_refused) and (
            known is None or known.round < invitation.round
        ):
            latest[invitation.opportunity_id] = invitation
    return list(latest.values())


def _starts_new_round(facts: Facts, invitation: ExistingInvitation) -> bool:
    """Whether the re-entry policy invites a person again who completed this invitation, here or elsewhere."""
    if invitation.status != InvitationStatus.COMPLETED or not invitation.was_reentered:
        return False
    if facts.reentry == ReentryPolicy.AFTER_EXPIRY:
        return invitation.outcome == ResultOutcome.EXPIRED
    days = invitation.days_since_completion
    return facts.reentry == ReentryPolicy.AFTER_DAYS and days is not None and days >= facts.reentry_days
