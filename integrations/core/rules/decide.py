"""Facts → verdict: the order of the checks is the order of `VerdictCode`, the first that holds wins.

Two exceptions: whether a candidate is only offered, left out for their origin, or lacks an address also depends on
their invitations here, and is checked again after them. And who has an assessment by a person's choice has it where the
rules name none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from integrations.core.invitation_status import InvitationStatus
from integrations.core.rules.choose_assessment import (
    AssessmentMatch,
    choose_assessment,
    depends_on_hidden_role,
)
from integrations.core.rules.facts import (
    CandidateSnapshot,
    Decision,
    EnteredBefore,
    ExistingInvitation,
    Facts,
    Pause,
    first_usable_email,
)
from integrations.core.rules.holds import explain, holds_of, origin_rule
from integrations.core.rules.names import (
    TAG_WORD,
    KnownAssessment,
    closest_name,
)
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import (
    Approval,
    AssessmentSource,
    DeliveryEvent,
    OriginRule,
)

HIDDEN_ROLE = (
    "Lever doesn't show this candidate's role, so the assessment that is set for the role was not used."
)


def decide(facts: Facts) -> Decision:
    """Return the verdict on complete facts, with its explanation."""
    early = decide_before_read(facts)
    if early is not None:
        return early
    candidate = facts.shown
    if candidate is None:
        return Decision(
            VerdictCode.NOT_VISIBLE,
            "Lever doesn't show this candidate to the portal: the candidate is confidential, or no longer in Lever.",
        )
    return _decide_candidate(facts, candidate) or _decide_assessment(facts, candidate)


def decide_locally(facts: Facts) -> Decision | None:
    """Return the verdict that holds without asking Lever anything, or None."""
    if facts.is_test:
        return Decision(VerdictCode.TEST_REQUEST, "Lever tested the connection and reached the portal.")
    if facts.pause is not None:
        return _wait(facts.pause)
    if facts.disconnected_reason:
        return Decision(
            VerdictCode.DISCONNECTED,
            f"{facts.disconnected_reason} The portal decides this when the connection works again.",
        )
    if facts.event not in DeliveryEvent:
        return Decision(
            VerdictCode.IGNORED_EVENT, f"The portal does nothing about the event “{facts.event}”."
        )
    if facts.is_erased:
        return Decision(VerdictCode.ERASED, "This person's data was erased, so no assessment is sent.")
    return None


def _wait(pause: Pause) -> Decision:
    return Decision(VerdictCode.PAUSED, f"{pause.reason} {pause.end}")


def decide_before_read(facts: Facts) -> Decision | None:
    """Return the verdict that holds without reading the opportunity, or without anything but its role; else None."""
    early = decide_locally(facts)
    if early is not None:
        return early
    policy, stage = facts.trigger_policy, (facts.stage_id, facts.stage_name)
    if facts.in_any_stage or policy.is_trigger(*stage, facts.shown):
        return None
    explanation = f"The stage “{facts.stage_name}” sends no assessment" if facts.stage_name else ""
    explanation = explanation or "This stage sends no assessment"
    explanation += " to candidates of this role." if policy.is_trigger(*stage) else "."
    if facts.shown and depends_on_hidden_role(facts, facts.shown):
        explanation += f" {HIDDEN_ROLE}"
    return Decision(VerdictCode.NOT_A_TRIGGER_STAGE, explanation)


def _decide_candidate(facts: Facts, candidate: CandidateSnapshot) -> Decision | None:
    """Return the verdict when the candidate's own state rules an invitation out."""
    if candidate.stage_id != facts.stage_id:
        now_in = f" and is now in “{candidate.stage_name}”" if candidate.stage_name else ""
        return Decision(VerdictCode.LEFT_STAGE, f"The candidate has left “{facts.stage_name}”{now_in}.")
    if candidate.is_archived:
        return Decision(VerdictCode.ARCHIVED, "The candidate is archived in Lever.")
    if candidate.is_anonymized:
        return Decision(VerdictCode.ANONYMIZED, "Lever has anonymized this candidate.")
    since = [row for row in facts.invitations_here if facts.lost and not facts.lost.is_older(row)]
    if not _latest_blocking(facts.invitations_here) and (offer := _offer(facts, _may_be_lost(facts, since))):
        return offer
    if not candidate.may_contact:
        return Decision(
            VerdictCode.CONTACT_NOT_ALLOWED,
            "Lever's data protection settings don't allow contacting this candidate.",
        )
    return None


def _offer(facts: Facts, lost: EnteredBefore | None) -> Decision | None:
    """Return that the candidate is offered to a person, where it can't be known whether they are invited already.

    `lost` is why a restore may have lost that they are.
    """
    cause = facts.entered_before or lost
    if cause is EnteredBefore.PROGRESS_TAG and _shows_other_integration(facts):
        return _wait(Pause.OTHER_INTEGRATION)
    return Decision(VerdictCode.ENTERED_BEFORE, cause.explain(facts.stage_name)) if cause else None


def _shows_other_integration(facts: Facts) -> bool:
    """Whether a progress tag that nothing here explains means that another integration invites people, too.

    Not where rows were lost that may explain it, nor of who was found in the stage: they may have it from before.
    """
    return (
        facts.event == DeliveryEvent.STAGE_CHANGE and facts.lost is None and not facts.other_integration_off
    )


def _may_be_lost(facts: Facts, here: Sequence[ExistingInvitation]) -> EnteredBefore | None:
    """Return that a restore may have lost the row of the assessment's next round; of the first, if nothing is `here`.

    `here` are the candidate's invitations to the assessment, where that is known. A person may have sent a further
    round then in any stage. What was made since the restore came after such a row.
    """
    lost = facts.lost
    if lost is None or not all(map(lost.is_older, here)):
        return None
    was_in_trigger = (facts.trigger_policy.is_trigger(*stage, facts.shown) for stage in lost.stages)
    return EnteredBefore.RESTORE if here or lost.is_offered or any(was_in_trigger) else None


def _may_be_lost_elsewhere(
    facts: Facts, here: Sequence[ExistingInvitation], elsewhere: Sequence[ExistingInvitation]
) -> EnteredBefore | None:
    """Return that a restore may have lost the row of the assessment that the person got through another opportunity.

    `here` and `elsewhere` are their invitations to the assessment.
    """
    lost = facts.lost
    if lost is None or not all(map(lost.is_older, here)):
        return None
    made_since = {row.opportunity_id for row in elsewhere if not lost.is_older(row)}
    has_earlier = any(row.opportunity_id not in made_since for row in elsewhere)
    explained = {row.opportunity_id for row in facts.invitations_elsewhere if row.was_sent}
    is_shown = (
        any(facts.trigger_policy.is_trigger(*stage) for stage in one.stages)
        or (one.has_progress_tag and one.opportunity_id not in explained)
        for one in lost.elsewhere
        if one.opportunity_id not in made_since
    )
    return EnteredBefore.RESTORE_ELSEWHERE if has_earlier or any(is_shown) else None


def _decide_assessment(facts: Facts, candidate: CandidateSnapshot) -> Decision:
    match = choose_assessment(facts, candidate)
    if (match is None or not match.is_clear) and (chosen := _chosen_before(facts, candidate)):
        return chosen
    if match is None:
        role = f"“{candidate.role_title}”" if candidate.role_title else "This candidate's role"
        decision = Decision(VerdictCode.NO_ASSESSMENT, f"{role} had no assessment.")
    else:
        decision = replace(
            _decide_match(facts, candidate, match),
            assessment_source=match.names.source,
            mapping_id=match.mapping.id if match.mapping else None,
            assessment_written=match.names.written[0] if len(match.found) < 2 else "",
        )
    if depends_on_hidden_role(facts, candidate):
        return replace(decision, explanation=f"{decision.explanation} {HIDDEN_ROLE}")
    return decision


def _decide_match(facts: Facts, candidate: CandidateSnapshot, match: AssessmentMatch) -> Decision:
    # a note in Lever says it, too: there a tag is known, and a mapping isn't
    place = "" if match.names.source == AssessmentSource.TAG else " in the CodeScreen integration"
    if not match.found:
        written = match.names.written[0]
        meant = closest_name(written, [assessment.name for assessment in facts.assessments])
        hint = f" Did you mean “{meant}”?" if meant else ""
        return Decision(
            VerdictCode.UNKNOWN_ASSESSMENT,
            f"CodeScreen has no assessment “{written}”. The name comes from {match.names.named_by}{place}.{hint}",
        )
    if len(match.found) > 1:
        names = ", ".join(f"“{assessment.name}”" for assessment in match.found)
        of_which = "" if match.names.source == AssessmentSource.TAG else f": {names}"
        return Decision(
            VerdictCode.AMBIGUOUS_ASSESSMENT,
            f"More than one assessment fits {_where(match)}{place}{of_which}.",
        )
    if match.has_contrary_rules:
        return Decision(
            VerdictCode.AMBIGUOUS_ASSESSMENT,
            f"More than one mapping fits{place}, each with other rules for the same assessment: {_where(match)}.",
        )
    assessment = match.found[0]
    origin = candidate.origin.label if candidate.origin else ""
    rule = origin_rule(facts, candidate)
    excluded = Decision(
        VerdictCode.ORIGIN_EXCLUDED,
        f"By your organization's rules, candidates with the origin “{origin}” are sent nothing.",
        assessment,
    )
    # who has the assessment here, such as by a person's choice, keeps it
    has_it = _latest_blocking(row for row in facts.invitations_here if row.assessment_id == assessment.id)
    if rule == OriginRule.SKIP and not has_it:
        return excluded
    email = first_usable_email(candidate.emails)
    no_email = Decision(VerdictCode.NO_EMAIL, "The candidate has no e-mail address in Lever.", assessment)
    if not email and not has_it:
        return no_email
    decision = _decide_invitation(facts, assessment, match)
    if decision.verdict == VerdictCode.INVITE and rule == OriginRule.SKIP:
        return excluded
    if decision.verdict == VerdictCode.INVITE and not email:
        return no_email
    approval = match.mapping.approval if match.mapping else Approval.ABOVE_LIMIT
    if decision.verdict == VerdictCode.INVITE and (holds := list(holds_of(facts, candidate, approval))):
        decision = replace(
            decision,
            verdict=VerdictCode.HELD_FOR_APPROVAL,
            explanation=explain(holds),
            held_for=tuple(hold.reason for hold in holds),
        )
    return replace(decision, assessment=assessment, email=email)


def _where(match: AssessmentMatch) -> str:
    """Return what names the assessment, for a sentence: a tag as it stands in Lever, or the kind of mapping."""
    if match.names.source != AssessmentSource.TAG:
        return match.names.named_by
    tags = " and ".join(f"“{TAG_WORD} {name}”" for name in match.names.written)
    return f"the tag {tags}" if len(match.names.written) == 1 else f"the tags {tags}"


def _decide_invitation(facts: Facts, assessment: KnownAssessment, match: AssessmentMatch) -> Decision:
    """Return the verdict once it is clear what would be sent: whether it was sent before, or goes out unless held."""
    here = [row for row in facts.invitations_here if row.assessment_id == assessment.id]
    elsewhere = [row for row in facts.invitations_elsewhere if row.assessment_id == assessment.id]
    round_number = max([row.round for row in here], default=1)
    if facts.chosen_assessment and (decided := _has_another(facts, assessment)):
        return decided
    for latest in _latest_blocking(here):
        if decided := _has_it(facts, assessment, latest):
            return decided
        round_number = latest.round + 1
    for latest in _latest_blocking([replace(row, is_cancelled_by_person=False) for row in elsewhere]):
        if not _starts_new_round(facts, latest):
            return Decision(
                VerdictCode.INVITED_ELSEWHERE,
                f"The same person already has “{assessment.name}” through another opportunity in Lever: "
                f"{latest.standing}.",
                existing_invitation_id=latest.id,
            )
    # the candidate has an invitation here, and would get a further one; or the person may have one elsewhere
    if offer := _offer(facts, _may_be_lost(facts, here) or _may_be_lost_elsewhere(facts, here, elsewhere)):
        return offer
    again = f" This is round {round_number}." if round_number > 1 else ""
    return Decision(
        VerdictCode.INVITE,
        f"The assessment is “{assessment.name}”, because of {_where(match)}.{again}",
        round=round_number,
    )


def _has_it(facts: Facts, assessment: KnownAssessment, latest: ExistingInvitation) -> Decision | None:
    """Return the verdict where the candidate has the assessment by this invitation; None where a new round begins."""
    if latest.is_cancelled_by_person:
        explanation = (
            f"“{assessment.name}” was {latest.standing}. To ask for it again, move the candidate out of the stage "
            "and back in."
        )
    elif not _starts_new_round(facts, latest):
        explanation = f"The candidate already has “{assessment.name}”: {latest.standing}."
    else:
        return None
    return Decision(VerdictCode.ALREADY_INVITED, explanation, existing_invitation_id=latest.id)


def _chosen_before(facts: Facts, candidate: CandidateSnapshot) -> Decision | None:
    """Return the verdict where a person chose an assessment for the candidate in this stage, and they have it."""
    rows = [row for row in facts.invitations_here if row.chosen_in and row.chosen_in == facts.stage_id]
    for latest in _latest_blocking(rows):
        assessment = KnownAssessment(latest.assessment_id, latest.assessment_name)
        if decided := _has_it(facts, assessment, latest):
            return replace(
                decided,
                assessment=assessment,
                assessment_source=AssessmentSource.CHOICE,
                email=first_usable_email(candidate.emails),
            )
    return None


def _has_another(facts: Facts, chosen: KnownAssessment) -> Decision | None:
    """Return the verdict where one was chosen for a candidate who had none, and who has another by now."""
    names = {assessment.id: f"“{assessment.name}”" for assessment in facts.assessments}
    for latest in _latest_blocking([row for row in facts.invitations_here if row.assessment_id != chosen.id]):
        name = names.get(latest.assessment_id, "another assessment")
        return Decision(
            VerdictCode.ALREADY_INVITED,
            f"“{chosen.name}” was chosen, but the candidate already has {name}: {latest.standing}.",
            existing_invitation_id=latest.id,
        )
    return None


def _latest_blocking(invitations: Iterable[ExistingInvitation]) -> list[ExistingInvitation]:
    """Return each opportunity's latest round among those that keep the person from being invited again."""
    latest: dict[str, ExistingInvitation] = {}
    for invitation in invitations:
        known = latest.get(invitation.opportunity_id)
        if (invitation.blocks or invitation.is_cancelled_by_person) and (
            known is None or known.round < invitation.round
        ):
            latest[invitation.opportunity_id] = invitation
    return list(latest.values())


def _starts_new_round(facts: Facts, invitation: ExistingInvitation) -> bool:
    """Whether a person is invited again who completed this invitation long ago, here or elsewhere."""
    if invitation.status != InvitationStatus.COMPLETED or not invitation.was_reentered:
        return False
    days = invitation.days_since_completion
    return facts.reentry_days > 0 and days is not None and days >= facts.reentry_days
