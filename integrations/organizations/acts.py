"""Create an organization; change its name, keys and policies; take up what waited for it; record a restored backup."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef

from integrations.audit.models.chain import ChainHead
from integrations.audit.models.entry import Actor, AuditAction, Changes, changes_to
from integrations.audit.record import audit, target_of
from integrations.case.reconcile import changing
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ActionNotAllowed, Platform
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.notifications.account_notices import audit_and_tell
from integrations.organizations.models.organization import KEY_OVERLAP, Organization, make_webhook_key
from integrations.organizations.models.policies import POLICIES, RuleGroup, rules_of
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import EFFECT_KINDS
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.queue.waiting import requeue_waiting
from integrations.store import database


def replace_webhook_key(organization: Organization, actor: Actor) -> None:
    """Give the organization's webhook addresses a new key; the one before is honoured for KEY_OVERLAP.

    So no webhook is refused before its sender knows the new address. An earlier one is refused from now on.
    """
    with transaction.atomic():
        former = Organization.objects.lock(organization.pk).webhook_key
        _store_key(organization, former, make_webhook_key())
        changes = {
            "webhook_key": (former, organization.webhook_key),
            "former_address_honoured_days": (None, KEY_OVERLAP.days),
        }
        audit_and_tell(organization, actor, AuditAction.REPLACE_WEBHOOK_ADDRESS, changes)


def _store_key(organization: Organization, former: str, key: str) -> None:
    """Store a new key, and honour the former one for KEY_OVERLAP: the last change before the caller's audit entry.

    The caller holds the organization's lock. PostgreSQL checks foreign keys at COMMIT. Who writes to the log holds the
    chain's head then, and waits for who changes the organization's key. Who changed it first and then waited for the
    head would make that a deadlock.
    """
    ChainHead.objects.lock(organization.pk)
    organization.webhook_key = key
    organization.previous_webhook_key = former
    organization.previous_webhook_key_until = database.now() + KEY_OVERLAP
    organization.save(update_fields=["webhook_key", "previous_webhook_key", "previous_webhook_key_until"])


def refuse_key_of_another(organization: Organization, key: str) -> None:
    """Raise ValidationError by field when another organization had this key: its senders may still use it."""
    if Organization.objects.filter(previous_webhook_key=key).exclude(pk=organization.pk).exists():
        raise ValidationError({"webhook_key": "Organization with this Webhook key already exists."})


#: What can be changed of an organization beside its policies.
IDENTITY = ("name", "webhook_key")


def create_organization(organization: Organization, actor: Actor) -> None:
    """Store a new organization. Raises ValidationError by field."""
    before = Organization(name="", slug="", webhook_key="")
    changes = changes_to(
        before, {field: getattr(organization, field) for field in ("slug", *IDENTITY, *POLICIES)}
    )
    organization.full_clean()
    refuse_key_of_another(organization, organization.webhook_key)
    with transaction.atomic():
        organization.save()
        audit(organization, actor, AuditAction.CREATE_ORGANIZATION, changes)
        # the portal's own log knows it too: else it could be removed with its log, and nothing would be missing
        of_the_portal = replace(target_of(organization), organization_id=None)
        audit(of_the_portal, actor, AuditAction.CREATE_ORGANIZATION)


def change_organization(organization: Organization, values: Mapping[str, str], actor: Actor) -> Changes:
    """Store a name and a webhook key; return what changed. Raises ValidationError by field.

    A webhook key that is replaced is honoured for KEY_OVERLAP.
    """
    changes = changes_to(organization, {field: values[field] for field in IDENTITY if field in values})
    if not changes:
        return {}
    changed = organization.changed({field: values[field] for field in changes})
    refuse_key_of_another(organization, changed.webhook_key)
    with transaction.atomic():
        former = Organization.objects.lock(organization.pk).webhook_key
        if (
            "webhook_key" in changes and former == changed.webhook_key
        ):  # another request has stored it meanwhile
            organization.webhook_key = former
            del changes["webhook_key"]
        if not changes:
            return {}
        if "name" in changes:
            organization.name = changed.name
            organization.save(update_fields=["name"])
        if "webhook_key" in changes:
            changes["webhook_key"] = (former, changed.webhook_key)
            _store_key(organization, former, changed.webhook_key)
        record = audit_and_tell if "webhook_key" in changes else audit
        record(organization, actor, AuditAction.CHANGE_ORGANIZATION, changes)
    return changes


def is_less_secure(organization: Organization, values: Mapping[str, object]) -> bool:
    """Whether these policies would end a requirement about security: the person must have proven who they are."""
    return any(
        getattr(organization, name) and not values.get(name, True)
        for name in rules_of(Organization, RuleGroup.SECURITY)
    )


def set_policies(organization: Organization, values: Mapping[str, object], actor: Actor) -> Changes:
    """Store policies; return what changed. The end of a pause requeues what waited for it.

    Raises ValidationError with the fix, by field.
    """
    unknown = set(values) - set(POLICIES)
    if unknown:
        raise ValidationError(f"No such policy: {', '.join(sorted(unknown))}.")
    changes = changes_to(organization, values)
    if not changes:
        return {}
    changed = organization.changed({name: values[name] for name in changes})
    for name in changes:
        setattr(organization, name, getattr(changed, name))
    with transaction.atomic():
        organization.save(update_fields=list(changes))
        # also what has begun to wait since the organization was read
        if {"paused", "other_integration_off"} & changes.keys() and not organization.pause:
            requeue_waiting(organization)
        audit(organization, actor, AuditAction.CHANGE_POLICIES, changes)
    return changes


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
            # a tag that lost rows may explain shows no other integration
            lost = {"rows_lost_from": since, "rows_lost_until": until, "other_tag_at": None}
            Organization.objects.filter(pk=locked.pk).update(**lost)
            if locked.pause and not Organization.objects.get(pk=locked.pk).pause:
                requeue_waiting(locked)
            # the whole of each stage is compared, as after the first connection
            LeverConnection.objects.filter(organization=locked).update(swept_at=None)
            DutyRun.objects.filter(organization=locked, duty__in=_COMPARE_WITH_LEVER).update(place={})
            _set_progress_tags_again(locked, until)
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
            f"The backup was made at {_text(since)}, and the portal stopped at {_text(until)}. The backup can't be "
            f"later than the stop, nor the stop later than now, {_text(now)}. Give both with their offset from UTC."
        )
    if since < organization.created_at:
        raise ActionNotAllowed(
            f"{organization.slug} was made here at {_text(organization.created_at)}, so a backup of {_text(since)} "
            "can't hold it. Give the time when the backup was made, with its offset from UTC."
        )


def _leave_to_a_person(organization: Organization, until: datetime) -> int:
    """Make invitations uncertain that waited to be sent, and have since then; return how many."""
    waiting = Invitation.objects.filter(
        organization=organization, status__in=[Status.PENDING, Status.SENDING], changed_at__lt=until
    )
    invitations = list(waiting.order_by("pk"))
    for invitation in invitations:
        with changing(organization, invitation.opportunity_id) as case:
            own = case.invitation(invitation.pk)
            if own.status not in {Status.PENDING, Status.SENDING}:
                continue  # its worker has just recorded how the call ended
            # so that it isn't sent again automatically once it is cancelled
            called_at = own.first_call_at or own.changed_at
            own.move(Status.UNCERTAIN, MAY_BE_SENT, first_call_at=called_at)
    Effect.objects.filter(
        invitation__in=invitations, kind=Effect.Kind.SEND_INVITATION, state=Effect.State.DUE
    ).update(
        state=Effect.State.UNCERTAIN, due_at=None, leased_until=None, lease_owner="", last_error=MAY_BE_SENT
    )
    return len(invitations)


def _set_progress_tags_again(organization: Organization, until: datetime) -> None:
    """Let the progress tag of everybody who is polled be set once more: lost rows may have put another in its place."""
    tags = Effect.objects.filter(organization=organization, kind=Effect.Kind.SET_PROGRESS_TAG)
    later = tags.filter(opportunity_id=OuterRef("opportunity_id"), pk__gt=OuterRef("pk"))
    polled = Invitation.objects.followed().filter(organization=organization, next_poll_at__isnull=False)
    latest = tags.filter(~Exists(later), state=Effect.State.DONE, created_at__lt=until)
    latest.filter(invitation__in=polled).make_due()


def _text(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
