"""Send one invitation, exactly once.

The attempt is committed before the call. When the answer is lost, the invitation becomes uncertain, and a person checks
in CodeScreen.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from integrations.audit.models.entry import AuditAction
from integrations.case.facts import NotShown, gather_facts_of_now
from integrations.case.lost_rows import lost_elsewhere
from integrations.case.other_integration import record_tag
from integrations.case.person import Person, invitations_of, store_people_shown
from integrations.case.reconcile import changing
from integrations.clients.provider import ClientProvider
from integrations.codescreen.models import mark_key_refused
from integrations.codescreen.payloads import instance_id_in
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.decide import decide
from integrations.core.rules.facts import Decision, Facts
from integrations.core.rules.names import KnownAssessment, has_progress_tag
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import DeliveryEvent, HoldReason, Platform
from integrations.http.session import PlatformError
from integrations.http.steps import LATE_STAGE_WAITS, wait_until_shown
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import UNREAD, Invitation
from integrations.lever.payloads import Opportunity, StageChange
from integrations.organizations.models.organization import Organization
from integrations.outbox.kind import (
    Cancelled,
    DecideOnRecording,
    Done,
    EffectKind,
    Failed,
    LeaseLost,
    Outcome,
    Retry,
    Target,
    Uncertain,
    has_started,
    kept_whole,
)
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import Payload
from integrations.outbox.sending import (
    cancel_or_retry,
    fail,
    give_up,
    make_uncertain,
    mark_invited,
    move,
    refusal_note,
)
from integrations.privacy.models import Erasure
from integrations.store import database
from integrations.store.database import is_there, rows_of, with_retry

INTERRUPTED = "The portal was stopped while sending, so CodeScreen's answer isn't known."
ELSEWHERE = "CodeScreen says that this person already has the assessment, through another opportunity."
EARLIER_ROUND = "CodeScreen says that the candidate already has the assessment: it is round {round}."
FOLLOW_EARLIER = (
    "The candidate already has it: it is round {round}. To get its result in Lever, move the candidate out of the "
    "stage and back in."
)


def _send_invitation(effect: Effect, clients: ClientProvider) -> Outcome:
    """Send one invitation and return the outcome. Raises PlatformError when it should be retried."""
    invitation = next(iter(rows_of(Invitation, "id = %s", effect.invitation_id)), None)
    if invitation is None:
        raise TypeError("an invitation effect without an invitation")
    effect.invitation, invitation.organization = invitation, effect.organization
    if invitation.instance_id:
        return Done()
    if invitation.status == Status.SENDING:
        return make_uncertain(invitation, INTERRUPTED)
    if invitation.status != Status.PENDING:
        return DecideOnRecording(partial(cancel_or_retry, invitation))
    if (not_sent := revalidate(effect, invitation, clients)) is not None:
        return not_sent
    earlier_call_at = invitation.first_call_at  # of a call that may have arrived
    codescreen = clients.codescreen()
    if (not_started := with_retry(partial(_start_attempt, effect, invitation))) is not None:
        return not_started
    try:
        instance = codescreen.send(invitation.assessment_id, invitation.candidate_name, invitation.email)
    except PlatformError as error:
        answer = with_retry(partial(_after_error, effect, invitation, earlier_call_at, error))
        if not isinstance(answer, str):
            return answer
        instance = answer
    return Done(record=partial(mark_invited, invitation, instance))


def _start_attempt(effect: Effect, invitation: Invitation) -> LeaseLost | DecideOnRecording | None:
    """Commit that the call is about to be made; return None then, else the outcome that takes its place.

    A worker that finds the started attempt later knows that the call may have been made, and since when.
    """
    first_call_at = invitation.first_call_at or database.now()
    with changing(effect.organization, invitation.opportunity_id) as case:
        own = case.invitation(invitation.pk)
        # sending: this very write succeeded, though the connection broke before the answer
        if own.status not in {Status.PENDING, Status.SENDING}:
            return DecideOnRecording(partial(cancel_or_retry, invitation))
        if not effect.mark_attempt_started():
            return LeaseLost()
        own.move(Status.SENDING, first_call_at=first_call_at)
    invitation.status, invitation.first_call_at = Status.SENDING, first_call_at
    return None


def _after_error(
    effect: Effect, invitation: Invitation, earlier_call_at: datetime | None, error: PlatformError
) -> Uncertain | Failed | LeaseLost | str:
    """Return how a refused call ends, or the instance id that shows that the person is invited.

    Raises the error when the call is to be retried.
    """
    instance = instance_id_in(error.body) if error.status == 409 else ""
    known = Invitation.objects.filter(organization=effect.organization_id, instance_id=instance)
    other = known.first() if instance else None
    if instance and other is None:
        return instance
    if error.ambiguous and not instance:
        return make_uncertain(invitation, f"{error}. The candidate may have been invited.")
    if error.permanent and error.status != 401:
        invitation.first_call_at = earlier_call_at  # this call certainly did not arrive
        if other is not None and other.opportunity_id == invitation.opportunity_id:
            reason, advice = (text.format(round=other.round) for text in (EARLIER_ROUND, FOLLOW_EARLIER))
            return fail(invitation, reason, advice)
        if other is not None:
            return fail(invitation, ELSEWHERE, "This person already has it, through another opportunity.")
        return fail(invitation, str(error), refusal_note(error.status))
    if error.status == 401:
        mark_key_refused(effect.organization.codescreen, str(error))
    if not _revert_to_pending(effect, invitation, earlier_call_at):
        return LeaseLost()
    raise error


def _revert_to_pending(effect: Effect, invitation: Invitation, earlier_call_at: datetime | None) -> bool:
    """Revert an invitation whose call certainly did not arrive; False when another worker has taken the row over."""
    with changing(effect.organization, invitation.opportunity_id) as case:
        if not effect.fenced().exists():
            return False
        case.invitation(invitation.pk).move(Status.PENDING, first_call_at=earlier_call_at)
    return True


# Whether it is still wanted: the candidate is read and decided again. Nothing is sent unless the rules, by the facts of
# now, still say *this assessment for this person*.


READ_AGAIN_AFTER = timedelta(minutes=2)
#: What people do that may change which assessment a candidate gets, or whether it is approved first.
RULE_CHANGES = (
    AuditAction.CHANGE_POLICIES,
    AuditAction.ADD_MAPPING,
    AuditAction.CHANGE_MAPPING,
    AuditAction.DELETE_MAPPING,
)
NOT_SHOWN = "Lever no longer shows the candidate."
NO_ADDRESS = "The candidate no longer has an e-mail address in Lever."
TAGGED = "The candidate has a progress tag in Lever, but no invitation here. So they may be invited already."
ADD_ADDRESS = "Add the candidate's e-mail address, then move the candidate out of the stage and back in."

#: How the try ends instead.
type NotSent = Cancelled | Failed | Retry | Uncertain | LeaseLost | DecideOnRecording


def revalidate(effect: Effect, invitation: Invitation, clients: ClientProvider) -> NotSent | None:
    """Return how the try ends when the invitation is no longer wanted, or may not be; None when it is.

    The candidate is read and decided again, unless the last reading is enough. The invitation then gets the name,
    address, role and stage of now. Raises PlatformError when a platform doesn't answer.
    """
    read_at = database.now()
    if _is_read_lately(effect, invitation, read_at):
        return None
    try:
        opportunity = clients.lever().opportunity(invitation.opportunity_id)
    except PlatformError as error:
        if error.status not in {403, 404}:
            raise
        reads = invitation.not_shown_reads + 1
        if (wait := wait_until_shown(reads)) is None:
            return Cancelled(NOT_SHOWN, also=partial(move, invitation, Status.WITHDRAWN, NOT_SHOWN))
        Invitation.objects.filter(pk=invitation.pk).update(not_shown_reads=reads)
        return Retry(NOT_SHOWN, wait)
    if (shown_late := _wait_for_stage(invitation, opportunity)) is not None:
        return shown_late
    own = KnownAssessment(invitation.assessment_id, invitation.assessment_name)
    facts = gather_facts_of_now(
        effect.organization,
        opportunity,
        clients,
        own if _is_fixed(invitation) else None,
        in_any_stage=invitation.in_any_stage,
    )
    facts = replace(facts, released=frozenset(map(HoldReason, invitation.held_for)))
    if not invitation.is_chosen and effect.organization.has_lost_rows_since(invitation.created_at):
        # decided before the restore, which may have lost what the person got through another opportunity
        facts = replace(facts, lost=lost_elsewhere(effect.organization, opportunity, clients))
    return with_retry(partial(_decide_again, effect, invitation, opportunity, facts, read_at))


def _wait_for_stage(invitation: Invitation, opportunity: Opportunity) -> Retry | None:
    """Return the retry while Lever shows the stage from before the move; None when what it shows is believed."""
    moves = invitation.deliveries.filter(event=DeliveryEvent.STAGE_CHANGE, chosen_at=None)
    latest = None if invitation.in_any_stage else moves.order_by("-received_at", "-pk").first()
    if latest is None or not StageChange.from_payload(latest.payload).is_ahead_of(opportunity):
        return None
    reads = invitation.late_reads + 1
    if (wait := wait_until_shown(reads, LATE_STAGE_WAITS)) is None:
        return None
    Invitation.objects.filter(pk=invitation.pk).update(late_reads=reads)
    return Retry(f"{NotShown.STAGE.value}.", wait)


_HAS_NEWS = f"""id = %s AND (
    EXISTS (
        SELECT 1 FROM integrations_delivery webhook WHERE webhook.organization_id = integrations_organization.id
            AND opportunity_id = %s AND platform = %s AND event <> %s AND received_at > %s
    ) OR EXISTS (
        SELECT 1 FROM integrations_auditentry entry WHERE entry.organization_id = integrations_organization.id
            AND action IN ({", ".join(["%s"] * len(RULE_CHANGES))}) AND at > %s
    )
)"""  # noqa: S608 - the actions are places


def _is_read_lately(effect: Effect, invitation: Invitation, now: datetime) -> bool:
    """Whether the last reading is enough: the invitation hasn't waited since, and nothing has come or changed.

    It has waited if it was tried before, held up by a pause, or requested again. What comes are webhooks about the
    candidate, decided or not; what changes are the organization's rules.
    """
    read_at = invitation.checked_at
    has_waited = effect.attempts > 1 or effect.retry_window_started_at is not None
    if read_at is None or has_waited or not invitation.email or now - read_at >= READ_AGAIN_AFTER:
        return False
    webhook = invitation.opportunity_id, Platform.LEVER, DeliveryEvent.SWEEP, read_at
    news = *webhook, *RULE_CHANGES, read_at
    return not is_there(Organization, _HAS_NEWS, invitation.organization_id, *news)


def _is_fixed(invitation: Invitation) -> bool:
    """Whether the assessment is settled by a person, so that the rules choose no other.

    A choice settles it at once. An approval settles it after one reading: at the first one the rules may name another,
    as they may have changed while it was on hold.
    """
    is_approved = bool(invitation.held_for) and invitation.checked_at is not None
    return invitation.is_fixed or is_approved


def _decide_again(
    effect: Effect,
    invitation: Invitation,
    opportunity: Opportunity,
    facts: Facts,
    read_at: datetime,
) -> NotSent | None:
    """Decide with the person's other invitations; when it is still wanted, write what Lever shows now."""
    with transaction.atomic():
        # such decisions of one organization run one after another: each sees the invitations of those before it
        Organization.objects.lock(invitation.organization_id)
        if not effect.fenced().exists():
            return LeaseLost()
        invitation.lock()
        if invitation.status != Status.PENDING:
            return DecideOnRecording(partial(cancel_or_retry, invitation))
        found = invitations_of(Person.of_opportunity(invitation.organization_id, opportunity))
        facts = replace(
            facts,
            is_erased=Erasure.objects.forbids(invitation.organization_id, invitation.opportunity_id),
            invitations_elsewhere=found.elsewhere_since(invitation.created_at),
        )
        decision = decide(facts)
        if decision.verdict == VerdictCode.ENTERED_BEFORE and _is_same(decision, invitation):
            return make_uncertain(invitation, decision.explanation)
        is_wanted = decision.verdict in {VerdictCode.INVITE, VerdictCode.NO_EMAIL}
        if not is_wanted or not _is_same(decision, invitation):
            return DecideOnRecording(partial(_end, effect, invitation, facts, decision))
        # who chose them knows that they may be invited already
        is_known = invitation.is_chosen or found.explain(opportunity.tags)
        if has_progress_tag(opportunity.tags) and not is_known:
            uncertain = make_uncertain(invitation, TAGGED)
            # after the candidate's rows: it may write to the log
            if not effect.organization.rows_lost_until:
                record_tag(effect.organization)
            return uncertain
        if decision.verdict == VerdictCode.NO_EMAIL:
            return fail(invitation, NO_ADDRESS, ADD_ADDRESS)
        _write_what_is_shown(invitation, opportunity, facts, decision, read_at)
        store_people_shown(invitation.organization, [opportunity])
    return None


def _is_same(decision: Decision, invitation: Invitation) -> bool:
    return decision.assessment is not None and decision.assessment.id == invitation.assessment_id


def _write_what_is_shown(
    invitation: Invitation, opportunity: Opportunity, facts: Facts, decision: Decision, read_at: datetime
) -> None:
    shown: dict[str, object] = {
        "candidate_name": opportunity.name[:500] or invitation.candidate_name,
        "email": decision.email,
    }
    # what a person chose keeps the mapping, the role and the stage by which it was decided
    if facts.shown is not None and not facts.chosen_assessment:
        shown |= {"role_id": facts.shown.role_id[:200], "role_title": facts.shown.role_title[:300]}
    is_corrected = any(getattr(invitation, name) != value for name, value in shown.items())
    if is_corrected:
        names = {"candidate_name": "name"}
        Candidate.objects.filter(
            organization=invitation.organization_id, opportunity_id=invitation.opportunity_id
        ).update(**{names.get(name, name): value for name, value in shown.items()})
    if not facts.chosen_assessment:
        shown |= {
            "stage_id": facts.stage_id[:200],
            "stage_name": facts.stage_name[:300],
            "mapping_id": decision.mapping_id,
        }
    Invitation.objects.filter(pk=invitation.pk).update(
        **shown,
        contact_id=opportunity.contact_id[:200] or invitation.contact_id,
        checked_at=read_at,
        erased_at=None,
        **UNREAD,
    )
    invitation.refresh_from_db()


def _end(
    effect: Effect, invitation: Invitation, facts: Facts, decision: Decision
) -> Done | Cancelled | Retry | LeaseLost:
    """Put the invitation on hold for a new reason, else cancel it; called in the recording transaction.

    What the rules say now takes its course: the candidate's delivery is decided anew, with its verdict and note, and
    with the invitation to another assessment. What a person chose is only cancelled.
    """
    # a decision about the candidate waits for this, and then sees the invitation as it is here
    Organization.objects.lock(invitation.organization_id)
    Invitation.objects.lock_all_of(invitation.organization_id, invitation.opportunity_id)
    if not effect.fenced().exists():
        return LeaseLost()
    invitation.lock()
    if invitation.status != Status.PENDING:
        return cancel_or_retry(invitation)
    if _is_same(decision, invitation) and decision.verdict == VerdictCode.HELD_FOR_APPROVAL:
        held_for = [*invitation.held_for, *decision.held_for]
        move(invitation, Status.HELD, decision.explanation, held_for=held_for)
        return Cancelled(decision.explanation)
    reason = decision.explanation
    if decision.assessment is not None and not _is_same(decision, invitation):
        reason = f"By now the candidate's assessment in “{facts.stage_name}” is “{decision.assessment.name}”."
    move(invitation, Status.WITHDRAWN, reason)
    if not facts.chosen_assessment:
        latest = Candidate.objects.filter(
            organization=invitation.organization_id, opportunity_id=invitation.opportunity_id
        )
        Delivery.objects.filter(pk__in=latest.values("delivery")).decide_again()
    return Cancelled(reason)


def _goes_on_in_a_pause(effect: Effect) -> bool:
    """Whether a call may have been made already."""
    # reverted to pending: the call was refused, but the worker was killed before it cleared the attempt
    is_reverted = effect.invitation is not None and effect.invitation.status == Status.PENDING
    return has_started(effect) and not is_reverted


SEND_INVITATION = EffectKind(
    kind=Effect.Kind.SEND_INVITATION,
    target=Target.CODESCREEN,
    payload=Payload,
    perform=_send_invitation,
    goes_on_in_a_pause=_goes_on_in_a_pause,
    give_up=give_up,
    topic=lambda effect: effect.invitation.assessment_name if effect.invitation else "",
    intended=lambda name: f"CodeScreen sends “{name}” to the candidate.",
    kept_payload=kept_whole,
)
