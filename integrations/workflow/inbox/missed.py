"""Which candidates in a trigger stage no delivery and no invitation accounts for."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.invitation_status import InvitationStatus
from integrations.lever.payloads import Opportunity, StageChange
from integrations.models import Delivery, Invitation, Organization, Stage
from integrations.verdict_code import REFUTED_BY_LIST, VerdictCode
from integrations.vocabulary import Platform, ReentryPolicy

#: Lever's clock and the database's may differ by this much.
CLOCK_SKEW = timedelta(minutes=2)
BATCH = 200

#: A candidate in a stage: the ids of the opportunity and the stage.
type Entry = tuple[str, str]


@dataclass(frozen=True)
class _Told:
    """A delivery that told of an entry, and its current verdict; `decided_at` is None before there is one."""

    received_at: datetime
    verdict: str
    decided_at: datetime | None
    is_cancelled: bool


@dataclass(frozen=True)
class _Accounts:
    """What the portal's rows say about the entries of some candidates."""

    told: Mapping[Entry, Sequence[_Told]]
    invitations: Mapping[Entry, Sequence[Invitation]]


def missed_opportunities(
    organization: Organization, stages: Sequence[Stage], in_stages: Sequence[Opportunity]
) -> Iterator[Opportunity]:
    """Yield those of the opportunities in trigger stages that no row accounts for."""
    by_id = {stage.external_id: stage for stage in stages}
    allows_rounds = organization.reentry != ReentryPolicy.NOTHING
    for start in range(0, len(in_stages), BATCH):
        batch = in_stages[start : start + BATCH]
        accounts = _accounts(organization, [opportunity.id for opportunity in batch])
        for opportunity in batch:
            entry, entered_at = (opportunity.id, opportunity.stage_id), opportunity.entered_at
            stage = by_id[opportunity.stage_id]
            is_told = any(_accounts_for(told, entered_at, stage) for told in accounts.told.get(entry, ()))
            is_invited = any(
                _is_invited(row, entered_at, allows_rounds) for row in accounts.invitations.get(entry, ())
            )
            if not is_told and not is_invited:
                yield opportunity


def _accounts(organization: Organization, ids: Sequence[str]) -> _Accounts:
    told: defaultdict[Entry, list[_Told]] = defaultdict(list)
    deliveries = Delivery.objects.filter(
        organization=organization, platform=Platform.LEVER, opportunity_id__in=ids
    ).select_related("invitation")
    for row in deliveries.order_by("received_at"):
        is_cancelled = (
            row.invitation is not None
            and row.invitation.opportunity_id == row.opportunity_id  # else it is the person's, elsewhere
            and row.invitation.status == InvitationStatus.WITHDRAWN
        )
        entry = (row.opportunity_id, StageChange.from_payload(row.payload).to_stage_id)
        told[entry].append(_Told(row.received_at, row.verdict, row.decided_at, is_cancelled))
    invitations: defaultdict[Entry, list[Invitation]] = defaultdict(list)
    for invitation in Invitation.objects.filter(organization=organization, opportunity_id__in=ids):
        invitations[invitation.opportunity_id, invitation.stage_id].append(invitation)
    return _Accounts(told, invitations)


def _accounts_for(told: _Told, entered_at: datetime | None, stage: Stage) -> bool:
    """Whether a delivery told of this entry, and its verdict holds.

    One whose invitation was cancelled doesn't count: the candidate may have entered again without a webhook.
    """
    if told.verdict in REFUTED_BY_LIST or told.is_cancelled:
        return False
    if told.verdict == VerdictCode.NOT_A_TRIGGER_STAGE and _was_named_since(stage, told, entered_at):
        return False
    return entered_at is None or told.received_at >= entered_at - CLOCK_SKEW


def _was_named_since(stage: Stage, told: _Told, entered_at: datetime | None) -> bool:
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
