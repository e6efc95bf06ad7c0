"""Several assessments by one mapping: those sent together, and the one that follows once they are passed.

Each further assessment is a delivery of its own, with a verdict of its own; nothing else invites.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Max, Q
from django.db.models.functions import Now

from integrations.core.invitation_status import FOLLOWED, ON_THE_WAY, UNSENT
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.facts import Next, Together
from integrations.core.rules.mappings import MappingRule
from integrations.core.rules.names import choose_progress_tag
from integrations.core.vocabulary import DeliveryEvent, Platform
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import IllegalTransition, Invitation
from integrations.invitations.models.invitation_queries import InvitationQuerySet
from integrations.lever.payloads import StageChange
from integrations.outbox.models import Effect
from integrations.store.columns import truncated_key

NO_LONGER_PASSED = "“{}” is no longer passed, so the next assessment isn't sent."


def has_further(invitation: Invitation) -> bool:
    """Whether others were sent with it, led to it, or may follow it."""
    mapping = invitation.mapping
    is_one_of_several = invitation.together_id is not None or invitation.after_id is not None
    return is_one_of_several or bool(mapping and mapping.next_assessment)


def is_of_several(invitation: Invitation) -> bool:
    """Whether others belong to it, or did: its mapping may no longer name the one that its pass waited for."""
    return has_further(invitation) or Delivery.objects.filter(after=first_of(invitation)).exists()


def first_of(invitation: Invitation) -> int:
    """Return the key of the first of those sent together, which stands for all of them; its own where it was alone."""
    return invitation.together_id or invitation.pk


def related_invitations(invitation: Invitation) -> InvitationQuerySet:
    """Return the invitation, those sent together with it, and the one that followed them."""
    first = first_of(invitation)
    return _of_candidate(invitation).filter(Q(pk=invitation.pk) | Q(together=first) | Q(after=first))


def all_related(invitation: Invitation) -> InvitationQuerySet:
    """Return all that belong together: those sent together, and the one that followed them, whichever is given."""
    return related_invitations(invitation.after or invitation)


def state_key(invitation: Invitation) -> str:
    """Return a key of how far all that belong together are: each result and each cancellation makes another one.

    What follows from them has it, so that it follows once, whichever of them led to it. Called with the first locked.
    """
    related = all_related(invitation)
    written = Effect.objects.filter(invitation__in=related, kind=Effect.Kind.WRITE_FEEDBACK)
    results = written.count()
    cancelled = related.filter(status=Status.WITHDRAWN).aggregate(latest=Max("changed_at"))["latest"]
    return f"{first_of(invitation.after or invitation)}:{results}:{cancelled or ''}"


def _of_candidate(invitation: Invitation) -> InvitationQuerySet:
    return Invitation.objects.filter(
        organization=invitation.organization_id, opportunity_id=invitation.opportunity_id
    )


def _following(invitation: Invitation) -> InvitationQuerySet:
    """Return what followed the invitation and those sent together with it, or an earlier round of its assessment."""
    is_earlier_round = Q(after__assessment_id=invitation.assessment_id, after__round__lte=invitation.round)
    return _of_candidate(invitation).filter(Q(after=first_of(invitation)) | is_earlier_round)


def are_passed(invitation: Invitation) -> bool:
    """Whether it is passed, and all that were or will be sent together with it, and what came before them.

    Those that were cancelled don't count; of an assessment the latest round does.
    """
    if not has_further(invitation):
        return _is_passed(invitation)
    counting = sent_together(invitation).exclude(status=Status.WITHDRAWN).order_by("round")
    latest = {one.assessment_id: one for one in counting}
    later_round = invitation.later_rounds().exclude(status=Status.WITHDRAWN).order_by("round").last()
    latest[invitation.assessment_id] = later_round or latest.get(invitation.assessment_id, invitation)
    if not all(one.status == Status.COMPLETED and _is_passed(one) for one in latest.values()):
        return False
    if _lacks_one(invitation):
        return False
    return invitation.after is None or are_passed(invitation.after)


def _lacks_one(invitation: Invitation) -> bool:
    """Whether the candidate doesn't have one that its mapping sends together with it: undecided, or not invited to."""
    first, mapping = first_of(invitation), invitation.mapping
    stored = Delivery.objects.filter(
        Q(after=first) | Q(after__together=first),
        organization=invitation.organization_id,
        event=DeliveryEvent.TOGETHER,
    )
    latest = {
        _assessment_in(delivery): delivery for delivery in stored.order_by("pk").select_related("invitation")
    }
    return any(
        delivery.invitation is None or delivery.invitation.opportunity_id != invitation.opportunity_id
        for written, delivery in latest.items()
        if mapping is not None and written in mapping.also_assessments
    )


def _assessment_in(delivery: Delivery) -> str:
    """Return which further assessment a delivery is about, as its mapping writes it."""
    return str(delivery.payload.get("assessment", ""))


def sent_together(invitation: Invitation) -> InvitationQuerySet:
    """Return the invitation and those sent together with it."""
    return related_invitations(invitation).filter(Q(pk=invitation.pk) | Q(together=first_of(invitation)))


def open_beside(invitation: Invitation) -> list[tuple[Invitation, str]]:
    """Return the others of its mapping that were sent and are open, each with its progress tag."""
    if not has_further(invitation):
        return []
    related = related_invitations(invitation).filter(status__in=FOLLOWED, following_ended="")
    others = related.exclude(pk=invitation.pk)
    return [(one, one.unstarted_tag or choose_progress_tag(one.status)) for one in others]


def _is_passed(invitation: Invitation) -> bool:
    """Whether the latest result states Passed, or meets the bar."""
    latest = invitation.latest_result()
    return latest is not None and latest.counts_as_pass is True


def lock_first(invitation: Invitation) -> None:
    """Let all that belong together get their results one after another: each then sees those that came before.

    Called in the recording transaction, with the invitation locked.
    """
    first = invitation.after_id or invitation.together_id
    if first is not None and first != invitation.pk:
        Invitation.objects.locked().filter(pk=first).first()


def lock_together(invitation: Invitation) -> None:
    """Lock all that were sent together, in the order in which results lock them: the first of them last."""
    if invitation.together_id is not None:
        rows = Invitation.objects.locked().filter(together=invitation.together_id)
        list(rows.exclude(pk=invitation.together_id).order_by("pk"))
        rows.filter(pk=invitation.together_id).first()


def further_of(delivery: Delivery, *, is_locked: bool = False) -> Together | Next | None:
    """Return which further assessment a delivery is about; None where the candidate entered the stage.

    In the deciding transaction the row before it `is_locked`: a regrade then comes before the decision or sees it.
    """
    if delivery.after_id is None:
        return None
    rows = Invitation.objects.locked() if is_locked else Invitation.objects.all()
    before = rows.get(pk=delivery.after_id)
    if delivery.event == DeliveryEvent.TOGETHER:
        return Together(_assessment_in(delivery))
    return Next(before.assessment_name, before.mapping_id, are_passed(before))


def store_together(delivery: Delivery, first: Invitation, mapping: MappingRule) -> Iterator[Delivery]:
    """Store a delivery for each further assessment, once for the one that led to the first; yield those to decide.

    Called in the transaction that decides about the first.
    """
    is_here = first.opportunity_id == delivery.opportunity_id  # else the person has it elsewhere
    if is_here and first.together_id is None:
        store_place(first, mapping.id, together_id=first.pk)
    change = StageChange.from_payload(delivery.payload)
    for written in mapping.also:
        key = f"together:{delivery.pk}:{written}"
        further = {"assessment": written}
        yield from _store(DeliveryEvent.TOGETHER, key, first, change, delivery.chosen_at, further)


def link_existing(delivery: Delivery, existing: Invitation, mapping_id: int | None) -> None:
    """Let an invitation that the candidate has already count as what a further delivery would have sent."""
    before = delivery.after
    if before is None or before.opportunity_id != existing.opportunity_id:
        return
    if delivery.event == DeliveryEvent.TOGETHER and existing.together_id is None:
        store_place(existing, mapping_id, together_id=first_of(before))
    # only after one that follows nothing itself: else two could follow each other
    is_next = delivery.event == DeliveryEvent.NEXT and before.after_id is None
    if is_next and existing.after_id is None and existing.assessment_id != before.assessment_id:
        store_place(existing, mapping_id, after_id=before.pk)


def store_place(invitation: Invitation, mapping_id: int | None, **place: int) -> None:
    """Store what an invitation that was sent alone is together with, or after; the mapping's rules hold from now on."""
    invitation.mapping_id = invitation.mapping_id or mapping_id
    Invitation.objects.filter(pk=invitation.pk).update(mapping_id=invitation.mapping_id, **place)
    for name, key in place.items():
        setattr(invitation, name, key)


def tie_next_round(former: Invitation) -> None:
    """Store one that was sent alone, and leads to another assessment, as the first of its further rounds."""
    if former.together_id is None and leads_to_next(former):
        store_place(former, former.mapping_id, together_id=former.pk)


def leads_to_next(invitation: Invitation) -> bool:
    """Whether its mapping sends another assessment once it is passed, with those sent together with it."""
    return bool(invitation.mapping and invitation.mapping.next_assessment) and invitation.after_id is None


def awaits_next(invitation: Invitation) -> bool:
    """Whether it leads to another assessment, which no person has cancelled for good."""
    if not leads_to_next(invitation):
        return False
    if _following(invitation).exclude(status=Status.WITHDRAWN).exists():
        return True
    latest = latest_following(invitation)
    if latest is None or not latest.stopped_by_user:
        return True
    return not invitation.in_any_stage and latest.changed_at < invitation.created_at  # entered anew since


def latest_following(invitation: Invitation) -> Invitation | None:
    """Return the latest round of the invitation that followed this one; None where none did."""
    return _following(invitation).order_by("-round", "-pk").first()


def is_last(invitation: Invitation) -> bool:
    """Whether what the rules say of a pass follows from its own: nothing comes after it, and all else is passed."""
    return not has_further(invitation) or (not awaits_next(invitation) and are_passed(invitation))


def follow_with_next(invitation: Invitation, entry: Delivery | None = None) -> None:
    """Store the delivery of what its mapping sends next, once for those sent together, if they are passed.

    Called in the transaction that records a result, or that decides about an `entry` into a stage.
    """
    # entering the stage again undoes that a person cancelled it
    may_follow = awaits_next(invitation) if entry is None else leads_to_next(invitation)
    if not may_follow or not are_passed(invitation) or invitation.has_later_round_sent():
        return
    first = Invitation.objects.get(pk=first_of(invitation))
    change = StageChange(first.opportunity_id, first.stage_id)
    if entry is not None:
        change = StageChange.from_payload(entry.payload)
    led = Delivery.objects.filter(invitation=first, platform=Platform.LEVER)
    chosen_at = led.aggregate(latest=Max("chosen_at"))["latest"] or (entry.chosen_at if entry else None)
    list(_store(DeliveryEvent.NEXT, f"next:{first.pk}", first, change, chosen_at, {}))


def _store(
    event: DeliveryEvent,
    key: str,
    after: Invitation,
    change: StageChange,
    chosen_at: datetime | None,
    further: dict[str, str],
) -> Iterator[Delivery]:
    """Store a delivery, or make one due again that led to no invitation or to a cancelled one; yield it.

    That a person chose the candidate, who may be invited already, holds for it too.
    """
    opportunity_id = change.opportunity_id
    data = {"opportunityId": opportunity_id, "toStageId": change.to_stage_id}
    columns: dict[str, object] = {
        "payload": {"event": event, "data": data, **further},
        "chosen_at": chosen_at,
        "after": after,
        "due_at": Now(),
    }
    delivery, is_new = Delivery.objects.get_or_create(
        organization_id=after.organization_id,
        platform=Platform.LEVER,
        dedupe_key=truncated_key(key),
        defaults={"event": event, "opportunity_id": opportunity_id, **columns},
    )
    ended = Delivery.objects.filter(
        Q(invitation=None) | Q(invitation__status=Status.WITHDRAWN),
        pk=delivery.pk,
        due_at__isnull=True,
        leased_until__isnull=True,
    )
    if is_new or ended.update(**columns, attempts=0):
        yield delivery


def passed_after(invitation: Invitation) -> Invitation | None:
    """Return what followed the invitation where it is passed, and all before it; None without it.

    A result that was no pass when that one was handed in, and is one now, then leads to what follows the last.
    """
    if not awaits_next(invitation):
        return None
    last = _following(invitation).filter(status=Status.COMPLETED).order_by("-round", "-pk").first()
    return last if last is not None and are_passed(last) else None


def cancel_next(invitation: Invitation) -> None:
    """Cancel what followed a pass that is none any more, where it wasn't sent; called in the recording transaction."""
    unsent = _following(invitation).filter(status__in=UNSENT)
    for following in unsent.select_for_update(of=("self",), no_key=True, skip_locked=True):
        following.organization = invitation.organization
        cancel_unsent(following, NO_LONGER_PASSED.format(invitation.assessment_name))


def why_not_after(invitation: Invitation) -> str:
    """Return why an invitation that follows a pass isn't sent; empty where it may be, or a person sends it again."""
    before = invitation.after
    if before is None or invitation.in_any_stage or are_passed(before):
        return ""
    return NO_LONGER_PASSED.format(before.assessment_name)


def sent_next(invitation: Invitation) -> Invitation | None:
    """Return what followed the invitation and was sent, or may be; None without it."""
    maybe_sent = Q(status__in=set(ON_THE_WAY) - set(UNSENT)) | ~Q(instance_id="")
    return _following(invitation).filter(maybe_sent).order_by("-pk").first()


def cancel_unsent(invitation: Invitation, reason: str) -> bool:
    """Cancel an invitation, and its sending where no worker has begun it; False while one is sending it."""
    try:
        invitation.move(Status.WITHDRAWN, reason)
    except IllegalTransition:  # its result is followed
        return False
    Effect.objects.filter(
        invitation=invitation,
        kind=Effect.Kind.SEND_INVITATION,
        state=Effect.State.DUE,
        leased_until__isnull=True,
    ).update(state=Effect.State.CANCELLED, due_at=None, last_error=reason)
    return True
