"""Post a notice to the organization's chat room: the effect's step and its record."""

from functools import partial

from integrations.http.session import PlatformError
from integrations.notifications.alerts import post
from integrations.notifications.notices import NO_LONGER_TRUE, Notice, render_notice, still_holds
from integrations.organizations.models.organization import Organization
from integrations.outbox.kind import Cancelled, Done, EffectKind, Failed, Target
from integrations.outbox.models.effect import Effect

#: The room or its webhook is no longer there.
GONE = frozenset({404, 410})
REMOVED = "The chat room was removed before it was posted."
ERASED = "What it said was erased before it was posted."


def send_alert(effect: Effect) -> Done | Cancelled | Failed:
    """Post the notice, at least once: a try whose answer got lost is repeated.

    A room that is gone is posted to no more. Raises PlatformError where it wasn't accepted.
    """
    url, notice = effect.organization.chat_url, Notice.from_json(effect.payload)
    if not url:
        return Cancelled(REMOVED)
    if not notice.subject:
        return Cancelled(ERASED)
    if not still_holds(notice.holds_while):
        return Cancelled(NO_LONGER_TRUE)
    try:
        post(url, render_notice(effect, notice))
    except PlatformError as error:
        if error.status not in GONE:
            raise
        return Failed(str(error), also=partial(_turn_off, effect.organization_id, url, str(error)))
    return Done()


def _turn_off(organization_id: int, url: str, reason: str) -> None:
    """Remove the chat room, and keep why; not one that somebody has entered meanwhile."""
    organization = Organization.objects.lock(organization_id)
    if organization.chat_url == url:
        Organization.objects.filter(pk=organization_id).update(chat_url="", chat_failure=reason)


SEND_ALERT = EffectKind(
    kind=Effect.Kind.SEND_ALERT,
    target=Target.CHAT,
    payload=Notice,
    perform=lambda effect, _: send_alert(effect),
    done="Posted to the chat room",
    failed="A message to the chat room could not be posted",
)
