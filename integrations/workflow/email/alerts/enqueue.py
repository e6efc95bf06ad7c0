"""Enqueue alerts: one effect per address and event, in the transaction of what the members are notified of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from integrations.models import AlertAddress, AlertTopic, Effect, EmailTopic, Invitation, Organization
from integrations.workflow.email.alerts.payload import BEGAN, ENDED, AlertPayload
from integrations.workflow.email.links import candidate_link, settings_link
from integrations.workflow.email.payload import Condition
from integrations.workflow.outbox import enqueue

PRIORITY = 8  # as e-mails: what Lever and CodeScreen are to be told goes first
#: The events that are alerts, each with its phase. Of the other events only e-mails tell.
_ALERTS: Mapping[EmailTopic, tuple[AlertTopic, str]] = {
    EmailTopic.RESULT: (AlertTopic.RESULT, ""),
    EmailTopic.INVITATION_UNCERTAIN: (AlertTopic.INCIDENT, BEGAN),
    EmailTopic.INCIDENT_BEGUN: (AlertTopic.INCIDENT, BEGAN),
    EmailTopic.INCIDENT_ENDED: (AlertTopic.INCIDENT, ENDED),
    EmailTopic.CONNECTION_ENDS: (AlertTopic.INCIDENT, BEGAN),
    EmailTopic.RECONNECT_NEEDED: (AlertTopic.INCIDENT, BEGAN),
    EmailTopic.RECONNECTED: (AlertTopic.INCIDENT, ENDED),
}


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
    if topic not in _ALERTS:
        return
    usual_topic, phase = _ALERTS[topic]
    alert_topic = alert_topic or usual_topic
    addresses = AlertAddress.objects.filter(organization=organization).getting(alert_topic)
    keys = list(addresses.order_by("pk").values_list("pk", flat=True))
    if not keys:
        return
    payload = AlertPayload(
        type=alert_topic.value,
        phase=phase,
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
        enqueue.enqueue(
            organization.pk,
            Effect.Kind.SEND_ALERT,
            f"{topic}:{key}:{pk}",
            invitation=invitation,
            payload=replace(payload, address=pk),
            priority=PRIORITY,
        )
