"""Enqueue effects; called inside the transaction whose changes make them necessary."""

from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Self

from integrations.core import correlation
from integrations.http.json_types import JsonObject
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.outbox.models import Effect
from integrations.store import database
from integrations.store.columns import truncated_key


@dataclass(frozen=True)
class Payload:
    """A dataclass kept as JSON in an effect. Unknown keys are ignored, so that an older row stays readable."""

    def to_json(self) -> JsonObject:
        """Return what is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: JsonObject) -> Self:
        """Return what was stored. Raises TypeError when a key is missing that has no default."""
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})


def enqueue(
    organization_id: int,
    kind: Effect.Kind,
    key: str,
    *,
    invitation: Invitation | None = None,
    delivery: Delivery | None = None,
    opportunity_id: str = "",
    email_topic: str = "",
    member: Membership | None = None,
    payload: Payload | None = None,
    priority: int = 5,
    wait: timedelta = timedelta(0),
) -> None:
    """Store the effect, due after `wait`, unless there is one of this kind and key."""
    effect = Effect(
        organization_id=organization_id,
        kind=kind,
        key=truncated_key(key),
        invitation=invitation,
        delivery=delivery,
        opportunity_id=opportunity_id or (invitation.opportunity_id if invitation else ""),
        email_topic=email_topic,
        member=member,
        payload=payload.to_json() if payload else {},
        correlation_id=correlation.current_or_new(),
        priority=priority,
    )
    if wait:
        effect.due_at = database.now() + wait
    Effect.objects.add(effect)
