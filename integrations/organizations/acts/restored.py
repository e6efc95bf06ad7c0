"""Record that the database is a restored backup: what it can't know is then looked for, or left to a person."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ActionNotAllowed, Platform
from integrations.effects.perform import EFFECT_KINDS
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.store import database

MAY_BE_SENT = (
    "This waited to be sent when the backup was made that was restored. It may have been sent meanwhile."
)
#: Duties whose place in the backup leaves out what was lost.
_COMPARE_WITH_LEVER = (Duty.SWEEP, Duty.SWEEP_FULLY, Duty.FOLLOW_ERASURES)


@dataclass(frozen=True)
class Restored:
    """What was recorded: between which times rows are lost, and what waited in the backup.

    `uncertain` invitations may have been sent and wait for a person; `writes` look in Lever first; `undecided` stage
    changes are offered where no invitation here says that the candidate has one.
    """

    since: datetime
    until: datetime
    is_new: bool
    uncertain: int
    writes: int
    undecided: int


def record_restore(
    organization: Organization, since: datetime, until: datetime | None, actor: Actor
) -> Restored:
    """Record that the rows written between `since` and `until` are lost; without `until`, what was recorded, or now.

    Safe to run twice and while the portal serves: what a person has decided since stays. Raises ActionNotAllowed.
    """
    with transaction.atomic():
        locked = Organization.objects.lock(organization.pk)
        if until is None and locked.rows_lost_from == since:
            until = locked.rows_lost_until
        now = database.now()
        until = until or now
        _check(locked, since, until, now)
        before, after = (locked.rows_lost_from, locked.rows_lost_until), (since, until)
        if before != after:
            Organization.objects.filter(pk=locked.pk).update(rows_lost_from=since, rows_lost_until=until)
            # the whole of each stage is compared, as after the first connection
            LeverConnection.objects.filter(organization=locked).update(swept_at=None)
            DutyRun.objects.filter(organization=locked, duty__in=_COMPARE_WITH_LEVER).update(place={})
        uncertain = _leave_to_a_person(locked, until)
        if before != after or uncertain:
            changes: dict[str, tuple[object, object]] = {
                "rows_lost_from": (_text(before[0]), _text(since)),
                "rows_lost_until": (_text(before[1]), _text(until)),
                "uncertain": (0, uncertain),
            }
            audit(locked, actor, AuditAction.RECORD_RESTORE, changes)
        writes = [kind for kind, record in EFFECT_KINDS.items() if record.repeats_show]
        return Restored(
            since,
            until,
            before != after,
            uncertain,
            Effect.objects.filter(
                organization=locked, kind__in=writes, state=Effect.State.DUE, created_at__lt=until
            ).count(),
            Delivery.objects.scheduled()
            .filter(organization=locked, platform=Platform.LEVER, received_at__lt=until)
            .count(),
        )


def _check(organization: Organization, since: datetime, until: datetime, now: datetime) -> None:
    if not since <= until <= now:
        raise ActionNotAllowed(
            f"The backup was made at {_text(since)}, and the portal stopped at {_text(until)}: the first can't be "
            f"later than the second, nor the second than now, {_text(now)}. Give both with their offset from UTC."
        )
    if since < organization.created_at:
        raise ActionNotAllowed(
            f"{organization.slug} was made here at {_text(organization.created_at)}, so a backup of {_text(since)} "
            "can't hold it. Give the time when the backup was made, with its offset from UTC."
        )


def _leave_to_a_person(organization: Organization, until: datetime) -> int:
    """Make invitations uncertain that waited to be sent, and have since then; return how many."""
    waiting = Invitation.objects.locked().filter(
        organization=organization,
        status__in=[Status.PENDING, Status.SENDING],
        changed_at__lt=until,
    )
    invitations = list(waiting.order_by("pk"))
    for invitation in invitations:
        invitation.move(Status.UNCERTAIN, MAY_BE_SENT)
    Effect.objects.filter(
        invitation__in=invitations, kind=Effect.Kind.SEND_INVITATION, state=Effect.State.DUE
    ).update(
        state=Effect.State.UNCERTAIN,
        due_at=None,
        leased_until=None,
        lease_owner="",
        last_error=MAY_BE_SENT,
    )
    return len(invitations)


def _text(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
