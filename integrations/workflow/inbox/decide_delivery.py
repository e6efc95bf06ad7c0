"""Decide a Lever delivery and write what follows, in one transaction."""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from integrations.clients import call_log
from integrations.clients.provider import ClientProvider
from integrations.lever.payloads import Opportunity
from integrations.models import Delivery, Organization
from integrations.verdict_code import VerdictCode
from integrations.vocabulary import ErasureCause, Platform, VerdictCause
from integrations.workflow.catalog.candidate_people import store_people
from integrations.workflow.erasure.erase import erase
from integrations.workflow.inbox.apply_decision import apply_decision
from integrations.workflow.inbox.candidates import record_candidate
from integrations.workflow.inbox.database_facts import with_database_facts
from integrations.workflow.inbox.facts import gather_facts
from integrations.workflow.outbox.outcome import AskAgain, LeaseLost
from integrations.workflow.outbox.retry_policy import wait_until_shown
from integrations.workflow.rules.decide import decide
from integrations.workflow.rules.facts import Decision
from integrations.workflow.rules.past_facts import stored_facts

logger = logging.getLogger(__name__)


def decide_delivery(
    delivery: Delivery,
    clients: ClientProvider,
    known: Opportunity | None = None,
    read_at: datetime | None = None,
    cause: VerdictCause | None = None,
    may_wait: bool = True,
) -> Decision | AskAgain | LeaseLost:
    """Decide a leased delivery. Safe to run twice and to be killed anywhere; nothing is written if the lease was lost.

    `known` is the opportunity if it was read just now, at `read_at`. Unless it `may_wait`, it is decided even if Lever
    doesn't show the candidate this time. Raises PlatformError when a platform doesn't answer.
    """
    snapshot = gather_facts(delivery, clients, known, read_at, may_list=True)
    if may_wait and snapshot.not_shown is not None:
        reads = delivery.not_shown_reads + 1
        wait = wait_until_shown(reads)
        if wait is not None:
            reason = f"{snapshot.not_shown.value}. This may pass, so the portal tries again."
            is_ours = delivery.release(due_at=Now() + wait, not_shown_reads=reads, last_error=reason)
            return AskAgain() if is_ours else LeaseLost()
    with call_log.recorded():
        organization, facts = delivery.organization, snapshot.facts
        if snapshot.opportunity is not None:
            # such decisions of one organization run one after another: each sees the invitations of those before it
            organization = Organization.objects.lock(delivery.organization_id)
            facts = with_database_facts(snapshot, delivery, snapshot.opportunity)
        decision = decide(facts)
        invitation = apply_decision(delivery, organization, decision, facts, snapshot)
        # before the verdict, which locks the chain: others lock the candidate first
        record_candidate(delivery, organization, snapshot, facts, decision, invitation)
        is_recorded = delivery.decide(
            decision.verdict,
            decision.explanation,
            invitation,
            assessment_source=decision.assessment_source,
            assessment_written=decision.assessment_written,
            cause=cause,
            facts=stored_facts(facts, decision),
        )
        if not is_recorded:
            transaction.set_rollback(True)
            return LeaseLost()
        if snapshot.opportunity is not None and not facts.is_erased:
            store_people(organization, snapshot.opportunity, snapshot.people)
    logger.info("delivery %s of %s: %s", delivery.pk, organization.slug, decision.verdict)
    if decision.verdict == VerdictCode.ANONYMIZED:
        erase(organization, delivery.opportunity_id, ErasureCause.ANONYMIZED, Platform.LEVER.label)
    return decision
