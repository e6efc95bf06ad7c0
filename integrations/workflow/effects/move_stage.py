"""Move a candidate on in Lever when CodeScreen states Passed, unless a recruiter has acted meanwhile.

Never for a result that isn't stated, never from a score, never back.
"""

from collections.abc import Container

from django.core.exceptions import ValidationError

from integrations.clients.provider import ClientProvider
from integrations.http.errors import PlatformError
from integrations.lever.payloads import Opportunity
from integrations.models import Effect, Invitation, Organization, Result, Stage
from integrations.workflow.catalog.sync import stages_named, stages_named_in_copy
from integrations.workflow.effects.lever_writes import author
from integrations.workflow.email.links import candidate_link
from integrations.workflow.email.notify import notify_members
from integrations.workflow.inbox.facts import mapping_rules
from integrations.workflow.outbox import enqueue
from integrations.workflow.rules.decide import closest_name, is_trigger

FIX = "Correct “Stage on pass” under Settings, then retry."


# the policy


def why_target_invites(organization: Organization, *, by_mapping: bool = True) -> str:
    """Return why entering the stage on pass would invite, and who passed go in circles; empty when it wouldn't."""
    written = organization.passed_stage.strip()
    if not written:
        return ""
    known = stages_named_in_copy(organization, written) if organization.pk else []
    named = [(stage.external_id, stage.name) for stage in known] or [(written, written)]
    rules = mapping_rules(organization) if organization.pk and by_mapping else ()
    if not any(is_trigger(*stage, organization.stage_prefix, rules) for stage in named):
        return ""
    name = known[0].name if known else written
    return (
        f"Entering “{name}” sends an assessment, because its name begins with "
        f"“{organization.stage_prefix}” or a mapping names it. Choose a stage that doesn't."
    )


def refuse_inviting_target(organization: Organization, changed: Container[str]) -> None:
    """Raise ValidationError when changing these policies is what makes the stage on pass invite.

    Any other change goes through, whatever has become of the stage: a mapping made since, which the doctor reports,
    must keep nobody from pausing.
    """
    if "passed_stage" in changed:
        reason = why_target_invites(organization)
    else:
        reason = why_target_invites(organization, by_mapping=False) if "stage_prefix" in changed else ""
    if reason:
        raise ValidationError({"passed_stage": reason})


# asking


def follow_result(invitation: Invitation, result: Result, number: int) -> None:
    """Ask for the move when CodeScreen states Passed; tell when it takes that back after the move."""
    organization = invitation.organization
    if result.outcome != Result.Outcome.PASSED:
        notify_regrade(invitation, number)
    elif organization.passed_stage.strip():
        enqueue.enqueue(
            organization,
            Effect.Kind.MOVE_STAGE,
            f"{invitation.pk}:{number}",
            invitation=invitation,
            payload={"stage": organization.passed_stage.strip()},
        )


def notify_regrade(invitation: Invitation, number: int) -> None:
    """Say in Lever and by e-mail, once, that a result was taken back after the candidate was moved for it."""
    moves = invitation.effects.filter(
        kind=Effect.Kind.MOVE_STAGE,
        attempt_started_at__isnull=False,
        # a cancelled one with an intent may have arrived before a recruiter moved the candidate on
        state__in=[Effect.State.DONE, Effect.State.DUE, Effect.State.CANCELLED],
    )
    move = moves.order_by("-pk").first()
    latest = _latest(invitation)
    if move is None or latest is None:
        return
    now = f"says {latest.outcome}" if latest.outcome else "states no result"
    happened = (
        f"“{invitation.assessment_name}”: CodeScreen {now} now. It had said Passed, and the candidate was moved to "
        f"“{move.payload['stage']}”. The portal moves nobody back."
    )
    code = f"regraded:{invitation.pk}:{number}"
    enqueue.enqueue_note(
        invitation.organization,
        invitation.opportunity_id,
        code,
        f"CodeScreen: {happened} Decide here where the candidate belongs.",
        invitation=invitation,
    )
    notify_members(
        invitation.organization,
        code,
        "A result changed after the candidate was moved",
        [happened, "Decide in Lever where the candidate belongs.", candidate_link(invitation)],
        invitation=invitation,
    )


def _latest(invitation: Invitation) -> Result | None:
    return invitation.results.order_by("-attempt").first()


# moving


def move_stage(effect: Effect, clients: ClientProvider) -> None:
    """Move the candidate to the stage on pass; looks first, and does nothing where a recruiter has acted.

    Safe to run twice. Lever offers no condition on a move, so a recruiter who acts between the look and the call
    is only found out by the next look.
    """
    invitation = effect.invitation
    if invitation is None:
        raise TypeError("a move without an invitation")
    if reason := _reason_to_cancel(effect, invitation):
        effect.finish(Effect.State.CANCELLED, reason)
        return
    lever = clients.lever()
    target = _target(effect.organization, clients)
    opportunity = lever.opportunity(effect.opportunity_id)
    if opportunity.stage_id == target.external_id:
        told = "" if effect.attempt_started_at else f"The candidate was in “{target.name}” already."
        effect.finish(Effect.State.DONE, told)
    elif reason := _recruiter_acted(effect, invitation, opportunity):
        effect.finish(Effect.State.CANCELLED, reason)
        return
    else:
        effect.payload = {**effect.payload, "stage": target.name}
        if not effect.mark_attempt_started():
            return
        lever.move_stage(effect.opportunity_id, target.external_id, author(effect))
    if not _is_passed(invitation):  # the regrade came while the call was on its way
        notify_regrade(invitation, invitation.effects.filter(kind=Effect.Kind.WRITE_FEEDBACK).count())


def _is_passed(invitation: Invitation) -> bool:
    latest = _latest(invitation)
    return latest is not None and latest.outcome == Result.Outcome.PASSED


def _reason_to_cancel(effect: Effect, invitation: Invitation) -> str:
    """Return why there is nothing to do, as far as that shows without asking Lever."""
    moves = invitation.effects.filter(kind=effect.kind, state=Effect.State.DONE)
    if moves.exclude(pk=effect.pk).exists():
        return "The candidate was moved for this assessment before; where they are since then, a recruiter decides."
    if not effect.organization.passed_stage.strip():
        return "The policies no longer name a stage on pass."
    if effect.attempt_started_at is None and not _is_passed(invitation):
        return "CodeScreen no longer says Passed."
    return ""


def _recruiter_acted(effect: Effect, invitation: Invitation, opportunity: Opportunity) -> str:
    """Return what a recruiter has done meanwhile, so that the portal keeps its hands off; empty when nothing."""
    if opportunity.is_archived:
        return "The candidate is archived in Lever: a recruiter has decided, so nobody is moved."
    if not invitation.stage_id or opportunity.stage_id != invitation.stage_id:
        invited_from = (
            f"“{invitation.stage_name}”" if invitation.stage_name else "the stage they were invited from"
        )
        return f"The candidate has left {invited_from}: a recruiter has moved them, so the portal doesn't."
    if (
        effect.attempt_started_at
        and opportunity.entered_at
        and opportunity.entered_at > effect.attempt_started_at
    ):
        return "A recruiter has moved the candidate back since the portal moved them."
    return "" if _is_passed(invitation) else "CodeScreen no longer says Passed."


def _target(organization: Organization, clients: ClientProvider) -> Stage:
    """Return the stage that the policy means now. Raises PlatformError when there is none, or a wrong one."""
    written = organization.passed_stage.strip()
    found = stages_named(organization, written, clients)
    if not found:
        raise PlatformError(f"{unknown_target_message(organization)} {FIX}", permanent=True)
    if len(found) > 1:
        message = f"Lever has {len(found)} stages called “{written}”: give the id of one. {FIX}"
        raise PlatformError(message, permanent=True)
    rules = mapping_rules(organization)
    if is_trigger(found[0].external_id, found[0].name, organization.stage_prefix, rules):
        message = f"Entering “{found[0].name}” would send an assessment, so nobody is moved there. {FIX}"
        raise PlatformError(message, permanent=True)
    return found[0]


def unknown_target_message(organization: Organization) -> str:
    """Return the sentence that says that Lever hasn't the stage on pass, and which one was probably meant."""
    names = Stage.objects.live().filter(organization=organization).values_list("name", flat=True)
    meant = closest_name(organization.passed_stage, names)
    hint = f" Did you mean “{meant}”?" if meant else ""
    written = organization.passed_stage.strip()
    return f"Lever has no stage “{written}”, which the policies name for those who passed.{hint}"
