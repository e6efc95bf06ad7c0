"""E-mails to the team, which may be about several candidates: only what is about the erased person is removed."""

import json
import re

from integrations.effects.kinds.messages import EMPTY_EMAIL
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.links import activity_link
from integrations.notifications.payload import EmailPayload, InvitationUnchanged, Notice
from integrations.outbox.models import Effect, EffectQuerySet
from integrations.privacy.concerned import Subject, containing

State = Effect.State


def emails_of_nobody(subject: Subject) -> list[int]:
    """Return the keys of the e-mails that belong to no candidate and mention the person; reads all of these e-mails."""
    rows: EffectQuerySet = Effect.objects.filter(
        organization=subject.organization_id, opportunity_id="", kind=Effect.Kind.SEND_EMAIL
    )
    found = containing(rows, ["payload"], subject).values("pk", "payload")
    return [row["pk"] for row in found.iterator() if subject.is_mentioned(row["payload"])]


def digests_about(subject: Subject) -> list[int]:
    """Return the keys of the e-mails that begin with another candidate and are about this one too."""
    own = Invitation.objects.filter(
        organization=subject.organization_id, opportunity_id=subject.opportunity_id
    )
    rows = Effect.objects.filter(also_about__in=own).exclude(payload=EMPTY_EMAIL)
    return list(rows.order_by().values_list("pk", flat=True).distinct())


def waiting_emails(subject: Subject) -> list[int]:
    """Return the keys of the opportunity's own e-mails that aren't sent yet."""
    rows = Effect.objects.filter(
        organization=subject.organization_id,
        opportunity_id=subject.opportunity_id,
        kind=Effect.Kind.SEND_EMAIL,
        state=State.DUE,
    )
    return list(rows.values_list("pk", flat=True))


def erase_emails(keys: list[int], subject: Subject) -> set[int]:
    """Remove what the e-mails say about the person; return the keys of those that were changed.

    One that isn't sent yet keeps what it says about others, and is cancelled when nothing is left. A sent one is
    emptied as a whole. A worker that is sending one loses its lease, so that it can't write the text back.
    """
    changed: set[int] = set()
    for effect in Effect.objects.filter(pk__in=keys):
        payload = EmailPayload.from_json(effect.payload)
        left = _notices_left(effect, payload, subject) if effect.state == State.DUE else []
        if len(left) == len(payload.notices):
            continue
        changes: dict[str, object] = {"payload": _stored(EmailPayload()), "last_error": "", "traceback": ""}
        if left:
            changes |= {"payload": _stored(payload.with_notices(*left))}
            changes |= {"invitation": None, "opportunity_id": ""}
        elif effect.state == State.DUE:
            changes |= {"state": State.CANCELLED, "due_at": None}
            changes |= {"end_reason": Effect.EndReason.ERASED}
        Effect.objects.filter(pk=effect.pk).update(**changes, leased_until=None, lease_owner="")
        changed.add(effect.pk)
    return changed


def _notices_left(effect: Effect, payload: EmailPayload, subject: Subject) -> list[Notice]:
    """Return the notices that aren't about the person."""
    own = Invitation.objects.filter(
        organization=subject.organization_id, opportunity_id=subject.opportunity_id
    )
    invitation_ids = set(own.values_list("pk", flat=True))
    first, *others = payload.notices
    is_own = effect.opportunity_id == subject.opportunity_id
    left = [] if is_own or _is_about(first, subject, invitation_ids) else [first]
    return left + [notice for notice in others if not _is_about(notice, subject, invitation_ids)]


def _is_about(notice: Notice, subject: Subject, invitation_ids: set[int]) -> bool:
    condition = notice.holds_while
    if isinstance(condition, InvitationUnchanged) and condition.invitation in invitation_ids:
        return True
    said = [notice.subject, *notice.lines, *notice.variables.values()]
    if subject.names_opportunity(said):
        return True
    is_about_another = re.search(rf"{re.escape(activity_link())}\w", " ".join(said))
    return not is_about_another and subject.is_mentioned(said)


def _stored(payload: EmailPayload) -> object:
    return json.loads(json.dumps(payload.to_json()))
