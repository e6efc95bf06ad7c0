"""Send one e-mail: as text and HTML, in one message per recipient; the effect's step and its record."""

import logging
import smtplib
from dataclasses import replace
from email import policy as policies
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage, Message
from email.policy import EmailPolicy, Policy

from django.core.mail import EmailMultiAlternatives

from integrations.core.vocabulary import MAIL_SERVER
from integrations.http.json_values import JsonObject
from integrations.http.session import PlatformError
from integrations.notifications import rendering
from integrations.notifications.account_notices import (
    compose_account_notice,
    compose_for_super_admins,
    compose_request,
)
from integrations.notifications.link_emails import compose_password_reset, compose_welcome
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.notices import NO_LONGER_TRUE, EmailPayload, compose_notice, still_holds
from integrations.notifications.rendering import ComposedEmail, RenderedEmail
from integrations.organizations.models.organization import Organization
from integrations.outbox.kind import Cancelled, Done, EffectKind, Target, has_started
from integrations.outbox.models.effect import Effect

logger = logging.getLogger(__name__)

NO_LONGER_WANTED = "Not sent, because what it was for was over by then."

_HEADERS = HeaderRegistry()


class WholeHeader(UnstructuredHeader, BaseHeader):
    """A header that stays on one line: an address that is folded becomes an encoded word, which RFC 2369 forbids."""

    def fold(self, *, policy: "Policy[Message[str, str]]") -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS.map_to_type("list-unsubscribe", WholeHeader)


class WholeAddresses(EmailMultiAlternatives):
    """A message in text and HTML, with the address to unsubscribe in one piece."""

    def message(self, *, policy: "Policy[Message[str, str]] | None" = None) -> EmailMessage:
        chosen = policy if isinstance(policy, EmailPolicy) else policies.default
        message: EmailMessage = super().message(policy=chosen.clone(header_factory=_HEADERS))
        return message


def send_email(effect: Effect) -> Done | Cancelled:
    """Send the e-mail to each recipient who doesn't have it yet; at least once, since no mail server can be asked.

    Nothing is sent that is no longer so. The addresses it was sent to are stored one by one, so that a retry after a
    refused address skips them.
    Raises PlatformError when the mail server refused a message.
    """
    payload = EmailPayload.from_json(effect.payload)
    if not still_holds(payload.holds_while):
        return Cancelled(NO_LONGER_TRUE)
    email = compose(effect, payload)
    if email is None:
        return Cancelled(NO_LONGER_WANTED)
    sender = effect.organization if email.is_signed else None
    failure: Exception | None = None
    for address, unsubscribe in email.unsubscribe_links.items():
        if address in payload.sent_to:
            continue
        try:
            _message(sender, email.content, address, unsubscribe).send()
        except (OSError, smtplib.SMTPException) as error:
            failure = error
            reason = type(error).__name__
            logger.warning("the mail server didn't take an e-mail: %s", reason, extra={"outage": MAIL_SERVER})
            continue
        payload = replace(payload, sent_to=(*payload.sent_to, address))
        effect.payload = payload.to_json()
        effect.fenced().update(payload=effect.payload)
    if failure is not None:
        raise PlatformError(f"The mail server didn't take the message: {type(failure).__name__}") from failure
    return Done()


def compose(effect: Effect, payload: EmailPayload) -> ComposedEmail | None:
    """Return the e-mail as it is composed now for its topic; None when it is no longer to be sent."""
    topic = EmailTopic(effect.email_topic)
    match topic:
        case EmailTopic.WELCOME:
            return compose_welcome(effect, payload)
        case EmailTopic.PASSWORD_RESET:
            return compose_password_reset(effect, payload)
        case EmailTopic.ACCOUNT:
            return compose_account_notice(payload)
        case EmailTopic.REQUEST:
            return compose_request(effect, payload)
        case EmailTopic.MEMBERS_CHANGED:
            return compose_for_super_admins(effect, payload)
    if topic.record.kind is None:
        raise TypeError(f"nothing composes e-mails about {topic}")
    return compose_notice(effect, topic.record.kind, payload)


def goes_to_named_people(effect: Effect) -> bool:
    """Whether it is about an account or the members, or somebody asks: a pause, which may be why, doesn't hold it."""
    return EmailTopic(effect.email_topic).record.kind is None


def _message(
    sender: Organization | None, content: RenderedEmail, address: str, unsubscribe: str
) -> EmailMultiAlternatives:
    headers = {"Auto-Submitted": "auto-generated"}
    if unsubscribe:  # RFC 8058
        headers |= {
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    message = WholeAddresses(
        subject=content.subject,
        body=rendering.as_text(content, sender, unsubscribe),
        to=[address],
        headers=headers,
    )
    message.attach_alternative(rendering.as_html(content, sender, unsubscribe), "text/html")
    return message


#: What stays of an e-mail, as it is stored.
EMPTY_EMAIL: JsonObject = EmailPayload().to_json()


SEND_EMAIL = EffectKind(
    kind=Effect.Kind.SEND_EMAIL,
    target=Target.EMAIL,
    payload=EmailPayload,
    perform=lambda effect, _: send_email(effect),
    goes_on_in_a_pause=lambda effect: has_started(effect) or goes_to_named_people(effect),
    done="E-mail sent to the team",
    failed="An e-mail to the team could not be sent",
    kept_payload=lambda _: EMPTY_EMAIL,
    is_stopped_by_erasure=False,
)
