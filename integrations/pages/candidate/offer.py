"""What a person may do about a candidate: the act that fits the reason and their role, and further ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from integrations.core.act import Act
from integrations.core.invitation_status import UNSENT, InvitationStatus
from integrations.invitations.acts.chosen import why_not_invitable
from integrations.members.models.membership import Membership
from integrations.pages.candidate.card import Card
from integrations.pages.candidate.rows import CandidateRows


@dataclass(frozen=True)
class Button:
    """One act with its address, and what its button says about this candidate."""

    act: Act
    url: str
    label: str


@dataclass(frozen=True)
class Offer:
    """The act in front, or the one that others are asked for; what else may be done; the invitation it is about.

    The reason that one of the further acts takes is kept in the audit log. With `only_unsent` an invitation is
    cancelled only while nothing was sent.
    """

    front: Button | None
    ask: Act | None
    more: tuple[Button, ...]
    key: str
    takes_reason: bool
    only_unsent: bool


def offer(rows: CandidateRows, card: Card, member: Membership, *, is_main: bool = True) -> Offer:
    """Return what the member may do where the card says; what isn't `is_main` is an earlier invitation's card."""
    is_over = rows.erasure is not None and rows.erasure.is_final
    acts = [] if is_over else list(_acts(rows, card, is_main))
    first = _first(card, acts)
    mine = [act for act in acts if member.may(act.record.needs)]
    more = [act for act in mine if act != first]
    status = card.invitation.status if card.invitation else ""
    return Offer(
        front=_button(first, rows, card) if first in mine and first else None,
        ask=first if first not in mine else None,
        more=tuple(_button(act, rows, card) for act in more),
        key=str(card.invitation.pk) if card.invitation else "candidate",
        takes_reason=bool(status) and any(act.record.posts for act in more),
        only_unsent=status in UNSENT,
    )


def _first(card: Card, acts: list[Act]) -> Act | None:
    if card.invitation is not None:
        first = InvitationStatus(card.invitation.status).record.act
    elif card.record is None or card.is_freed:
        first = Act.INVITE
    else:
        first = card.record.act
    return first if first in acts else None


def _acts(rows: CandidateRows, card: Card, is_main: bool) -> Iterator[Act]:
    """Yield what can be done about the candidate, whoever does it."""
    if card.invitation is not None:
        yield from card.acts
    elif card.record is None:
        if card.retryable is not None:
            yield Act.INVITE
    else:
        if (act := card.record.act) and act != Act.INVITE_TO:
            yield act
        if card.retryable is not None:
            yield Act.INVITE
        if rows.candidate is not None and not why_not_invitable(rows.candidate):
            yield Act.INVITE_TO
    if is_main:
        yield Act.PREVIEW


def _button(act: Act, rows: CandidateRows, card: Card) -> Button:
    label, invitation = act.label, card.invitation
    match act:
        case Act.CHOOSE_ASSESSMENT:
            role = {"role": rows.role_title} if rows.role_title else {}
            label += f" for {rows.role_title}" if role else ""
            back = reverse("candidate", args=[rows.opportunity_id])
            url = f"{reverse('mapping-add')}?{urlencode(role | {'next': back})}"
        case Act.INVITE if card.retryable is not None:
            url = reverse("delivery-replay", args=[card.retryable.pk])
        case Act.INVITE_TO if rows.candidate is not None:
            url = f"{reverse('candidates-bulk')}?act=decide&candidate={rows.candidate.pk}"
        case Act.PREVIEW:
            url = f"{reverse('preview')}?{urlencode({'candidate': rows.opportunity_id})}"
        case Act.OPEN_IN_LEVER:
            url = rows.organization.lever_region.candidate_page(rows.opportunity_id)
        case Act.END_PAUSE:
            url = reverse("overview")
        case Act.CONNECT:
            url = reverse("settings")
        case Act.SETTLE if invitation is not None:
            url = f"{reverse('candidates-bulk')}?act=settle&invitation={invitation.pk}"
        case _ if invitation is not None:
            url = reverse(_OF_INVITATION[act], args=[invitation.pk])
        case _:
            raise ValueError(f"{act} is about no candidate")
    return Button(act, url, label)


#: By an act at the click, the URL name of its address, which has the invitation's key.
_OF_INVITATION = {
    Act.APPROVE: "invitation-approve",
    Act.CANCEL: "invitation-cancel",
    Act.SEND_AGAIN: "invitation-send-again",
    Act.INVITE_AGAIN: "invitation-again",
}
