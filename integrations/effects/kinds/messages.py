"""Tell the team: by e-mail, and by alerts to chat rooms and programs. `notifications` writes what they say."""

import json

from integrations.effects.kind import EffectKind, Target, Words, has_started
from integrations.http.json_types import JsonObject
from integrations.invitations.models.result import Result
from integrations.notifications.alert_payload import AlertPayload
from integrations.notifications.alerts import give_up_alert, send_alert
from integrations.notifications.models import AlertTopic
from integrations.notifications.payload import EmailPayload
from integrations.notifications.sending import is_about_signing_in, send_email
from integrations.outbox.models import Effect

#: What stays of an e-mail, as it is stored.
EMPTY_EMAIL: JsonObject = json.loads(json.dumps(EmailPayload().to_json()))


def _email_sent(effect: Effect, _: Words) -> str:
    subject = SEND_EMAIL.payload_of(effect).subject
    return f"E-mail sent to the team: “{subject}”" if subject else "E-mail sent to the team"


def _alert_topic(effect: Effect, _: Result | None) -> str:
    topic = SEND_ALERT.payload_of(effect).type
    return str(AlertTopic(topic).label) if topic in AlertTopic.values else ""


SEND_EMAIL = EffectKind(
    kind=Effect.Kind.SEND_EMAIL,
    target=Target.EMAIL,
    payload=EmailPayload,
    perform=lambda effect, _: send_email(effect),
    goes_on_in_a_pause=lambda effect: has_started(effect) or is_about_signing_in(effect),
    topic=lambda effect, _: str(effect.get_email_topic_display()),
    done=_email_sent,
    failed="An e-mail to the team could not be sent",
    kept_payload=lambda _: EMPTY_EMAIL,
    is_stopped_by_erasure=False,
    copy_stays_in="mailboxes",
)
SEND_ALERT = EffectKind(
    kind=Effect.Kind.SEND_ALERT,
    target=Target.ALERT,
    payload=AlertPayload,
    perform=lambda effect, _: send_alert(effect),
    give_up=give_up_alert,
    topic=_alert_topic,
    done=lambda _effect, _words: "Alert sent",
    failed="An alert could not be sent",
    copy_stays_in="alert_receivers",
)
