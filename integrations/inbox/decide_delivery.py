"""Bring one claimed delivery to its verdict: decide it, and write what follows in one transaction.

When a step fails, why and when it is retried are recorded.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from integrations.case.case import Case, Decided
from integrations.case.facts import FactsSnapshot, NotShown, gather_facts, is_chosen, with_database_facts
from integrations.case.other_integration import record_tag
from integrations.case.person import store_people
from integrations.case.reconcile import changing
from integrations.clients import call_log
from integrations.clients.provider import ClientProvider
from integrations.core.invitation_status import FOLLOWED, UNSENT
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.decide import decide
from integrations.core.rules.facts import CandidateSnapshot, Decision, Facts
from integrations.core.rules.holds import RELEASED_BY_CHOICE
from integrations.core.verdict_code import INVITING_VERDICTS, VerdictCode
from integrations.core.vocabulary import (
    RETRY_FOR_IN_WORDS,
    ErasureCause,
    Platform,
    VerdictCause,
    WebhookEvent,
)
from integrations.http.session import CallDeferred, NotConnected, PlatformError
from integrations.http.steps import (
    LATE_STAGE_WAITS,
    NOT_SHOWN_WAITS,
    RETRY_FOR,
    SHORTEST_WAIT,
    Conflict,
    Crash,
    backoff,
    deferral,
    run_step,
    wait_after,
    wait_until_shown,
)
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.noted_events import NotErased, note_codescreen_webhook, note_deletion
from integrations.inbox.record_candidate import record_candidate, record_undecided
from integrations.inbox.stage_lists import readings
from integrations.invitations.models.invitation import Invitation
from integrations.lever.payloads import Opportunity, is_test_request
from integrations.notifications.models.email_kind import timeline_link
from integrations.notifications.notify import notify_reconnect_needed
from integrations.organizations.models.organization import Organization
from integrations.privacy.erase import erase
from integrations.store import database
from integrations.store.database import with_retry
from integrations.store.leasing import MAX_CONSECUTIVE_CRASHES, NO_OUTCOME

logger = logging.getLogger(__name__)

#: A candidate without a decision for so long is listed all the same.
SHOWN_AFTER = timedelta(minutes=2)
GIVEN_UP = (
    f"For {RETRY_FOR_IN_WORDS} the portal could not read what it needs: {{reason}}. If the candidate is still in the "
    "stage, it tries again at its next comparison with Lever."
)


def handle_delivery(delivery: Delivery, clients: ClientProvider) -> None:
    """Handle a claimed delivery; raises nothing for what a platform or a bug did."""
    if delivery.is_poison:
        logger.error("delivery %s is given up: its workers ended without an outcome", delivery.pk)
        delivery.release(due_at=None, last_error=NO_OUTCOME.format(count=MAX_CONSECUTIVE_CRASHES))
        return
    result = run_step(f"delivery {delivery.pk}", lambda: _handle(delivery, clients))
    match result:
        case CallDeferred():
            _try_later(delivery, due_at=database.due_after(deferral(result)), attempts=delivery.attempts - 1)
        case Conflict():
            _try_later(delivery, due_at=Now() + backoff(delivery.attempts), last_error=result.reason)
        case PlatformError():
            _retry(delivery, result)
        case Crash():
            # a bounded number of times it is tried again; then it stops, and shows where that came from
            is_given_up = delivery.consecutive_crashes >= MAX_CONSECUTIVE_CRASHES
            delivery.release(
                due_at=None if is_given_up else Now() + backoff(delivery.consecutive_crashes),
                last_error=result.reason,
                traceback=result.traceback,
                consecutive_crashes=0 if is_given_up else delivery.consecutive_crashes,
            )


def _handle(delivery: Delivery, clients: ClientProvider) -> None:
    match Platform(delivery.platform):
        case Platform.LEVER if _tells_of_a_deletion(delivery):
            note_deletion(delivery, clients)
        case Platform.LEVER:
            decide_delivery(delivery, clients)
        case Platform.CODESCREEN:
            note_codescreen_webhook(delivery)


def _tells_of_a_deletion(delivery: Delivery) -> bool:
    """Whether a deletion can be asked about now; a test is decided, and so is what waits for the connection."""
    is_deletion = delivery.event == WebhookEvent.CANDIDATE_DELETED and not is_test_request(delivery.payload)
    return is_deletion and delivery.organization.working_lever is not None


def _retry(delivery: Delivery, error: PlatformError) -> None:
    """Try again later; after RETRY_FOR it ends in a verdict, which the sweep and people can take up."""
    notify_reconnect_needed(delivery.organization)
    now = database.now()
    failing_since = delivery.failing_since or now
    if now - failing_since >= RETRY_FOR:
        if delivery.event == WebhookEvent.CANDIDATE_DELETED:
            delivery.decide(VerdictCode.NOTED, NotErased.NOT_CONFIRMED.value)
            return
        explanation = GIVEN_UP.format(reason=str(error).rstrip("."))
        _end_lease(delivery, partial(delivery.decide, VerdictCode.NOT_VISIBLE, explanation), is_listed=True)
        return
    # without a connection the next try records the verdict `disconnected`
    is_disconnected = isinstance(error, NotConnected)
    wait = SHORTEST_WAIT if is_disconnected else wait_after(error, delivery.attempts)
    _try_later(delivery, due_at=database.due_after(wait), last_error=str(error), failing_since=failing_since)


def _try_later(delivery: Delivery, **changes: object) -> None:
    """Release it with these changes; the candidate is listed once nothing is decided about them for SHOWN_AFTER."""
    is_late = not delivery.verdict and database.now() - delivery.received_at >= SHOWN_AFTER
    _end_lease(delivery, partial(delivery.release, **changes), is_listed=is_late)


def _end_lease(delivery: Delivery, end: Callable[[], bool], *, is_listed: bool) -> None:
    """End the lease by `end`; if it `is_listed`, store the candidate too. Nothing is written if the lease was lost."""

    def write() -> None:
        with transaction.atomic():
            if is_listed:
                # before the delivery and the log: others lock the candidate first
                record_undecided(delivery)
            if not end():
                transaction.set_rollback(True)

    with_retry(write)


def decide_delivery(
    delivery: Delivery,
    clients: ClientProvider,
    known: Opportunity | None = None,
    read_at: datetime | None = None,
    cause: VerdictCause | None = None,
    may_wait: bool = True,
) -> Decision | None:
    """Decide a leased delivery. Safe to run twice and to be killed anywhere; nothing is written if the lease was lost.

    Return None then, and when Lever is asked again before anything is decided. `known` is the opportunity if it was
    read just now, at `read_at`. Unless it `may_wait`, it is decided even if Lever doesn't show the candidate this time.
    Raises PlatformError when a platform doesn't answer.
    """
    snapshot = gather_facts(delivery, clients, known, read_at, listed=readings.take)
    if may_wait and snapshot.not_shown is not None:
        is_late = snapshot.not_shown is NotShown.STAGE
        counter, waits = ("late_reads", LATE_STAGE_WAITS) if is_late else ("not_shown_reads", NOT_SHOWN_WAITS)
        reads = getattr(delivery, counter) + 1
        wait = wait_until_shown(reads, waits)
        if wait is not None:
            reason = f"{snapshot.not_shown.value}. This may pass, so the portal tries again."
            delivery.release(due_at=database.due_after(wait), last_error=reason, **{counter: reads})
            return None
    with call_log.recorded():
        organization, facts = delivery.organization, snapshot.facts
        if snapshot.opportunity is not None:
            # such decisions of one organization run one after another: each sees the invitations of those before it
            organization = Organization.objects.lock(delivery.organization_id)
            facts = with_database_facts(snapshot, delivery, snapshot.opportunity)
        decision = decide(facts)
        # of a new candidate there is no row to read again; for an erased person none was looked for
        is_new = snapshot.opportunity is not None and not facts.is_erased and not facts.invitations_here
        with changing(organization, delivery.opportunity_id, has_rows=not is_new) as case:
            invitation = apply_decision(case, delivery, decision, facts, snapshot)
        # before the verdict, which locks the chain: others lock the invitation and the candidate first
        record_candidate(delivery, organization, snapshot, facts, decision, invitation)
        is_recorded = delivery.decide(
            decision.verdict,
            decision.explanation,
            invitation,
            assessment_source=decision.assessment_source,
            assessment_written=decision.assessment_written,
            cause=cause,
        )
        if not is_recorded:
            transaction.set_rollback(True)
            return None
        if snapshot.opportunity is not None and not facts.is_erased:
            store_people(organization, snapshot.opportunity, snapshot.people)
        if (
            decision.verdict == VerdictCode.PAUSED and facts.pause is None
        ):  # this candidate's tag begins the wait
            record_tag(organization)
    logger.info("delivery %s of %s: %s", delivery.pk, organization.slug, decision.verdict)
    if decision.verdict == VerdictCode.ANONYMIZED:
        erase(organization, delivery.opportunity_id, ErasureCause.ANONYMIZED, Platform.LEVER.label)
    return decision


def apply_decision(
    case: Case, delivery: Delivery, decision: Decision, facts: Facts, gathered: FactsSnapshot
) -> Invitation | None:
    """Change the candidate's rows as a decision says; return the invitation it is about."""
    case.decided = _decided_by(delivery, decision)
    opportunity, verdict = gathered.opportunity, decision.verdict
    if opportunity is not None and verdict in INVITING_VERDICTS:
        return _invite(case, delivery, decision, facts, opportunity, gathered.read_at)
    if opportunity is not None and verdict == VerdictCode.NOT_A_TRIGGER_STAGE:
        return _cancel(case, opportunity, facts, "The candidate left the stage.")
    if opportunity is not None and verdict == VerdictCode.ARCHIVED:
        return _cancel(case, opportunity, facts, decision.explanation)
    if opportunity is not None and verdict == VerdictCode.ALREADY_INVITED:
        return _follow_again(case, decision, facts, opportunity)
    if decision.existing_invitation_id:
        return Invitation.objects.filter(pk=decision.existing_invitation_id).first()
    return None


def _decided_by(delivery: Delivery, decision: Decision) -> Decided:
    """Return a decision as a note says it: with the page of another opportunity that has the invitation."""
    existing, step = None, decision.next_step
    if decision.existing_invitation_id and decision.verdict.record.leaves_note:
        existing = Invitation.objects.filter(pk=decision.existing_invitation_id).first()
    if existing is not None and existing.opportunity_id != delivery.opportunity_id:
        step = f"{step} That page: {timeline_link(existing.opportunity_id)}"
    return Decided(decision.verdict, decision.explanation, step, delivery)


def _invite(
    case: Case,
    delivery: Delivery,
    decision: Decision,
    facts: Facts,
    opportunity: Opportunity,
    read_at: datetime | None,
) -> Invitation:
    candidate = facts.candidate
    if decision.assessment is None or not isinstance(candidate, CandidateSnapshot):
        raise TypeError("an invitation needs an assessment and a candidate")
    status = Status.HELD if decision.verdict == VerdictCode.HELD_FOR_APPROVAL else Status.PENDING
    values: dict[str, Any] = {
        "contact_id": opportunity.contact_id[:200],
        "candidate_name": opportunity.name[:500],
        "email": decision.email,
        "role_id": candidate.role_id[:200],
        "role_title": candidate.role_title[:300],
        "stage_id": facts.stage_id[:200],
        "stage_name": facts.stage_name[:300],
        "assessment_name": decision.assessment.name[:300],
        "mapping_id": decision.mapping_id,
        "held_for": list(RELEASED_BY_CHOICE if delivery.chosen_assessment else decision.held_for),
        "is_chosen": is_chosen(delivery),
        "is_fixed": bool(delivery.chosen_assessment),
        "in_any_stage": False,
        "checked_at": read_at or database.now(),
        "erased_at": None,
    }
    reason = decision.explanation if status == Status.HELD else ""
    # a row that never reached CodeScreen is reused; a new one would be a new round
    is_round = (decision.assessment.id, decision.round)
    for earlier in case.invitations:
        if (earlier.assessment_id, earlier.round) == is_round:
            # created_at too: the bulk limit counts recent invitations by it
            earlier.begin_again(status, reason, created_at=database.now(), **values)
            return earlier
    invitation = Invitation(
        organization=case.organization,
        opportunity_id=opportunity.id,
        assessment_id=decision.assessment.id,
        round=decision.round,
        status=status,
        status_reason=reason,
        changed_at=database.now(),
        **values,
    )
    invitation.save(force_insert=True)
    case.invitations.append(invitation)
    return invitation


def _cancel(case: Case, opportunity: Opportunity, facts: Facts, reason: str) -> Invitation | None:
    """Cancel invitations that weren't started, if the candidate is in no trigger stage any more; return the last."""
    candidate = facts.candidate
    if not isinstance(candidate, CandidateSnapshot):
        return None
    has_left = opportunity.is_archived or not facts.trigger_policy.is_trigger(
        candidate.stage_id, candidate.stage_name, candidate
    )
    if not has_left:
        return None
    cancelled = []
    for invitation in case.invitations:
        # a person invited these again wherever the candidate is
        is_anywhere = invitation.in_any_stage and invitation.status in UNSENT and not opportunity.is_archived
        if invitation.status in {*UNSENT, Status.INVITED} and not is_anywhere:
            invitation.move(Status.WITHDRAWN, reason)
            cancelled.append(invitation)
    return cancelled[-1] if cancelled else None


def _follow_again(
    case: Case, decision: Decision, facts: Facts, opportunity: Opportunity
) -> Invitation | None:
    """Follow a sent invitation again that was cancelled because the stage was left, and not by a person."""
    by_person = {existing.id for existing in facts.invitations_here if existing.is_cancelled_by_person}
    invitation = next((one for one in case.invitations if one.pk == decision.existing_invitation_id), None)
    if invitation is None or invitation.pk in by_person:
        return invitation
    is_cancelled = invitation.status == Status.WITHDRAWN and bool(invitation.instance_id)
    if not is_cancelled and not (invitation.following_ended and invitation.status in FOLLOWED):
        return invitation
    if invitation.erased_at is not None:  # who returns after the retention is followed like anybody
        invitation.change(candidate_name=opportunity.name[:500], email=decision.email, erased_at=None)
    if is_cancelled:
        invitation.move(Status.INVITED, next_poll_at=database.now())
    else:
        invitation.follow_again()
    return invitation
