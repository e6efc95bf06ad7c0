"""Enqueue alerts, and what the outbox keeps of one alert until it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from integrations.invitations.models.invitation import Invitation
from integrations.notifications.links import candidate_link, settings_link
from integrations.notifications.models.email_kind import AlertTopic, EmailTopic
from integrations.notifications.models.preferences import AlertAddress
from integrations.notifications.payload import Condition, stored_condition
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect, Payload, enqueue

# What the outbox keeps of one alert until it is sent. No name is in it: it is read when the alert is sent.


@dataclass(frozen=True)
class AlertPayload(Payload):
    """One alert to one address.

    `address` is the key of the AlertAddress, `type` an AlertTopic. A result has `result` in words, `outcome` and
    `score`; everything else has a `subject` and perhaps `lines`, and a `phase` where it begins or ends.
    An erased payload is empty, and nothing is sent then.
    """

    address: int = 0
    type: str = ""
    phase: str = ""
    subject: str = ""
    lines: tuple[str, ...] = ()
    link: str = ""
    result: str = ""
    outcome: str = ""
    score: str = ""
    holds_while: Condition | None = None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the payload as it was stored; what is missing has its default."""
        known = {
            name: str(stored.get(name) or "")
            for name in ("type", "phase", "subject", "link", "result", "outcome", "score")
        }
        return cls(
            address=stored.get("address") or 0,
            lines=tuple(stored.get("lines", ())),
            holds_while=stored_condition(stored.get("holds_while")),
            **known,
        )


# Enqueue alerts: one effect per address and event, in the transaction of what the members are notified of.


PRIORITY = 8  # as e-mails: what Lever and CodeScreen are to be told goes first


def enqueue_alerts(
    organization: Organization,
    topic: EmailTopic,
    key: str,
    *,
    subject: str,
    lines: Sequence[str],
    variables: Mapping[str, str],
    invitation: Invitation | None,
    holds_while: Condition | None,
    alert_topic: AlertTopic | None = None,
    link: str = "",
) -> None:
    """Enqueue the alert of an event to each address that gets its topic, once per address, topic and key.

    Lines with an address of the web are left out: an alert has the link.
    """
    if topic.record.alert is None:
        return
    alert_topic = alert_topic or topic.record.alert
    addresses = AlertAddress.objects.filter(organization=organization).getting(alert_topic)
    keys = list(addresses.order_by("pk").values_list("pk", flat=True))
    if not keys:
        return
    payload = AlertPayload(
        type=alert_topic.value,
        phase=topic.record.alert_phase.value,
        link=link or (candidate_link(invitation) if invitation else settings_link()),
        holds_while=holds_while,
    )
    if alert_topic == AlertTopic.RESULT:  # subject and lines name the candidate
        payload = replace(
            payload,
            result=variables.get("result", ""),
            outcome=variables.get("outcome", ""),
            score=variables.get("score", ""),
        )
    else:
        payload = replace(payload, subject=subject, lines=tuple(line for line in lines if "://" not in line))
    for pk in keys:
        enqueue(
            organization.pk,
            Effect.Kind.SEND_ALERT,
            f"{topic}:{key}:{pk}",
            invitation=invitation,
            payload=replace(payload, address=pk),
            priority=PRIORITY,
        )
