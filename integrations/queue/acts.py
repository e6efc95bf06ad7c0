"""Operations that a person or a command starts and that call a platform; workers are notified afterwards."""

from itertools import islice

from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit
from integrations.clients.hooks import CallContext
from integrations.clients.provider import ClientProvider
from integrations.core import correlation
from integrations.core.rules.facts import Decision
from integrations.core.vocabulary import ActionNotAllowed, VerdictCause
from integrations.inbox import dry_run as dry_runs
from integrations.inbox.decide_delivery import decide_delivery
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.payloads import Opportunity
from integrations.organizations.models.organization import Organization
from integrations.queue import duties
from integrations.queue.notify import notify_workers
from integrations.queue.worker import poll_invitation


def sweep_organization(organization: Organization) -> int:
    """Reconcile one organization with Lever now; return how many invitations it repaired. Raises PlatformError."""
    repaired, place = duties.sweep_organization(Organization.objects.reread(organization.pk), {})
    while place:
        more, place = duties.sweep_organization(Organization.objects.reread(organization.pk), place)
        repaired += more
    notify_workers()
    return repaired


def follow_erasures(organization: Organization) -> None:
    """Erase now the people that Lever deleted or anonymized, if Lever is connected. Raises PlatformError."""
    organization = Organization.objects.reread(organization.pk)
    if organization.working_lever:
        place = duties.follow_erasures(organization, {})
        while place:
            place = duties.follow_erasures(organization, place)


def poll_organization(organization: Organization, everything: bool = False) -> int:
    """Poll every open invitation now, with `everything` completed ones too; return how many were polled."""
    rows = Invitation.objects.followed().filter(organization=organization)
    if not everything:
        rows = rows.exclude(status__in=[Invitation.Status.COMPLETED, Invitation.Status.FAILED])
    count = 0
    for invitation in rows.iterator():
        poll_invitation(invitation)
        count += 1
    notify_workers()
    return count


def replay(delivery: Delivery, actor: Actor) -> Decision:
    """Decide a stored delivery again. Raises ActionNotAllowed and PlatformError."""
    organization = Organization.objects.reread(delivery.organization_id)
    with correlation.use(correlation.of_delivery(delivery.pk)):
        clients = ClientProvider(organization, CallContext(delivery=delivery))
        decision = replay_delivery(delivery, clients, actor)
    notify_workers()
    return decision


def replay_delivery(delivery: Delivery, clients: ClientProvider, actor: Actor) -> Decision:
    """Decide a stored Lever delivery again and replace its verdict. Raises ActionNotAllowed and PlatformError."""
    if delivery.platform != Delivery.Platform.LEVER:
        raise ActionNotAllowed("Only deliveries from Lever can be retried.")
    before = delivery.verdict
    claimed = delivery.lease()
    if claimed is None:
        raise ActionNotAllowed("This delivery is being processed right now. Try again in a moment.")
    try:
        decision = decide_delivery(claimed, clients, cause=VerdictCause.REPLAY, may_wait=False)
    except BaseException:
        claimed.release()
        raise
    if decision is None:
        raise ActionNotAllowed("This delivery has just been processed. Reload its page to see the verdict.")
    changes = {"verdict": (before, decision.verdict)}
    audit(delivery, actor, AuditAction.REPLAY, changes)
    return decision


def preview(delivery: Delivery) -> Decision:
    """Return the verdict a delivery would get now; writes nothing. Raises PlatformError."""
    organization = Organization.objects.reread(delivery.organization_id)
    return dry_runs.preview(delivery, ClientProvider(organization, CallContext(delivery=delivery)))


def dry_run(organization: Organization, opportunity_id: str, stage_id: str) -> dry_runs.DryRun:
    """Return what would follow if the candidate entered the stage now. Raises PlatformError."""
    organization = Organization.objects.reread(organization.pk)
    clients = ClientProvider(organization, CallContext(opportunity_without_row=opportunity_id))
    return dry_runs.dry_run(organization, opportunity_id, stage_id, clients)


def opportunities(organization: Organization, most: int, email: str) -> list[Opportunity]:
    """Return at most `most` of Lever's opportunities with this address. Raises PlatformError."""
    lever = ClientProvider(Organization.objects.reread(organization.pk)).lever()
    return list(islice(lever.opportunities(email=email), most))
