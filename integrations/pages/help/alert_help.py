"""Alerts: what is sent when, and what each state of an address means; and the program that verifies one."""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.models import AlertTopic

_WHEN: Mapping[AlertTopic, str] = {
    AlertTopic.RESULT: "CodeScreen states a result, or another one than before.",
    AlertTopic.HELD: "Invitations begin to need approval, and none needs it any more.",
    AlertTopic.INCIDENT: (
        "Something that the page Health calls a problem begins or is over, an invitation may or may not have been "
        "sent, or Lever must be connected again."
    ),
}

#: What a receiver does with a signed webhook before it reads the body; run by the tests.
VERIFY = """\
import base64, hashlib, hmac, time

def is_genuine(headers, body: bytes, secret: str) -> bool:
    timestamp = headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, one) for one in headers["webhook-signature"].split())
"""


@dataclass(frozen=True)
class TopicHelp:
    """What an address can get, its name in a signed webhook, and when it is sent."""

    code: str
    label: str
    when: str


@dataclass(frozen=True)
class StateHelp:
    """What the page shows of an address, what that means, and what to do."""

    label: str
    meaning: str
    cure: str


STATES = (
    StateHelp(
        "Not tried", "Nothing was sent to it yet.", "Press “Send a test”, and look whether it arrives."
    ),
    StateHelp("Works", "The last alert was accepted.", "Nothing."),
    StateHelp(
        "Not reached yet, Last one not accepted",
        "The address didn't answer in ten seconds, or said that it can't now. The portal tries again by itself, for "
        "four days, and shows the reason.",
        "If it stays so, look whether your program runs. In Slack there is nothing to do.",
    ),
    StateHelp(
        "Stopped",
        "The address refused an alert, as Slack does when the app or the channel was removed, or it didn't answer for "
        "four days. Nothing more is sent to it.",
        "Correct the reason; if the address is another one now, press “Change”. Then press “Send a test”: once it is "
        "accepted, what failed is sent too.",
    ),
    StateHelp("Off", "Somebody turned it off.", "Press “Change” and turn it on."),
)


def topic_helps() -> list[TopicHelp]:
    """Return everything that an address can get."""
    return [TopicHelp(topic.value, str(topic.label), _WHEN[topic]) for topic in AlertTopic]
