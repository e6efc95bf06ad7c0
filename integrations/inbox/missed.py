"""Who is in a trigger stage by Lever's list and was missed: no delivery and no invitation accounts for the entry."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from integrations.catalog.models.platform_lists import Stage
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import REFUTED_BY_LIST, VerdictCode
from integrations.core.vocabulary import DeliveryEvent, Platform
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.payloads import Opportunity, StageChange
from integrations.organizations.models.organization import Organization

#: Lever's clock and the database's may differ by this much.
CLOCK_SKEW = timedelta(minutes=2)
BATCH = 200

#: By the ids of an opportunity and of a stage that it entered.
type ByEntry[Row] = defaultdict[tuple[str, str], list[Row]]


def missed_opportunities(
    organization: Organization,
    stages: Sequence[Stage],
    listed: Sequence[Opportunity],
    latest: datetime | None = None,
) -> Iterator[Opportunity]:
    """Yield those of the opportunities in trigger stages that no row accounts for.

    If `latest` is given, only those that entered no later, or nobody knows when.
    """
    in_stages = [
        opportunity
        for opportunity in listed
        if latest is None or opportunity.entered_at is None or opportunity.entered_at <= latest
    ]
    by_id = {stage.external_id: stage for stage in stages}
    allows_rounds = organization.reentry_days > 0
    for start in range(0, len(in_stages), BATCH):
        batch = in_stages[start : start + BATCH]
        told, invitations = _rows_of(organization, [opportunity.id for opportunity in batch])
        for opportunity in batch:
            entry, entered_at = (opportunity.id, opportunity.stage_id), opportunity.entered_at
            stage = by_id[opportunity.stage_id]
            is_told = any(_accounts_for(row, entered_at, stage) for row in told[entry])
            is_invited = any(_is_invited(row, entered_at, allows_rounds) for row in invitations[entry])
            if not is_told and not is_invited:
                yield opportunity


def _rows_of(organization: Organization, ids: Sequence[str]) -> tuple[ByEntry[Delivery], ByEntry[Invitation]]:
    """Return the deliveries that told of the entries of these opportunities, and their invitations."""
    told: ByEntry[Delivery] = defaultdict(list)
    invitations: ByEntry[Invitation] = defaultdict(list)
    own = {"organization": organization, "opportunity_id__in": ids}
    lever = {"platform": Platform.LEVER, "event__in": list(DeliveryEvent)}
    deliveries = Delivery.objects.filter(**own, **lever).select_related("invitation")
    for delivery in deliveries.order_by("received_at"):
        stage_id = StageChange.from_payload(delivery.payload).to_stage_id
        told[delivery.opportunity_id, stage_id].append(delivery)
    for invitation in Invitation.objects.filter(**own):
        invitations[invitation.opportunity_id, invitation.stage_id].append(invitation)
    return told, invitations


def _accounts_for(told: Delivery, entered_at: datetime | None, stage: Stage) -> bool:
    """Whether a delivery told of this entry, and its verdict holds.

    One whose invitation was cancelled doesn't count: the candidate may have entered again without a webhook.
    """
    is_cancelled = (
        told.invitation is not None
        and told.invitation.opportunity_id == told.opportunity_id  # else it is the person's, elsewhere
        and told.invitation.status == InvitationStatus.WITHDRAWN
    )
    if told.verdict in REFUTED_BY_LIST or is_cancelled:
        return False
    if told.verdict == VerdictCode.NOT_A_TRIGGER_STAGE and _was_named_since(stage, told, entered_at):
        return False
    return entered_at is None or told.received_at >= entered_at - CLOCK_SKEW


def _was_named_since(stage: Stage, told: Delivery, entered_at: datetime | None) -> bool:
    """Whether the verdict was given by an older list of stages, and the stage may have been entered under its new name.

    Also after another Lever account was connected for a while, whose list didn't have the stage at all.
    """
    if stage.named_before is None or told.decided_at is None or told.decided_at >= stage.named_before:
        return False
    return entered_at is None or stage.named_after is None or entered_at >= stage.named_after - CLOCK_SKEW


def _is_invited(row: Invitation, entered_at: datetime | None, allows_rounds: bool) -> bool:
    """Whether an invitation accounts for this entry.

    A cancelled one only does if a person cancelled it after the entry; a completed one doesn't if the candidate entered
    again afterwards and may get another round.
    """
    if row.status == InvitationStatus.WITHDRAWN:
        is_later = entered_at is None or row.changed_at >= entered_at - CLOCK_SKEW
        return row.stopped_by_user and is_later
    is_over = row.status == InvitationStatus.COMPLETED and row.completed_at is not None
    if is_over and allows_rounds and entered_at is not None:
        return row.completed_at is not None and entered_at <= row.completed_at
    return True
