"""Perform the effect that sends one alert, and keep with the address how that went."""

from functools import partial

from django.db.models.functions import Now

from integrations.clients.context import CallContext
from integrations.http.errors import CallDeferred, PlatformError
from integrations.models import AlertAddress, AlertTopic, Effect
from integrations.workflow.email.alerts import delivery
from integrations.workflow.email.alerts.content import alert_of
from integrations.workflow.email.alerts.payload import AlertPayload
from integrations.workflow.email.current_notices import still_holds
from integrations.workflow.outbox.outcome import Cancelled, Done, Failed

REMOVED = "The address was removed before the alert was sent."
TURNED_OFF = "The address was turned off before the alert was sent."
ERASED = "What it said was erased before it was sent."
NO_LONGER_SO = "What it says was no longer so when it was to be sent."
STOPPED = "Alerts to this address are stopped. A test that arrives starts them, and sends this one."


def send_alert(effect: Effect) -> Done | Cancelled | Failed:
    """Send the alert, at least once: a try whose answer got lost is repeated with the same id.

    Raises PlatformError when the address didn't accept it.
    """
    payload = AlertPayload.from_json(effect.payload)
    if payload.type not in AlertTopic.values:
        return Cancelled(ERASED)
    address = AlertAddress.objects.filter(organization=effect.organization_id, pk=payload.address).first()
    if address is None:
        return Cancelled(REMOVED)
    if not address.is_on:
        return Cancelled(TURNED_OFF)
    if address.stopped_at is not None:
        return Failed(STOPPED)
    if not still_holds(payload.holds_while):
        return Cancelled(NO_LONGER_SO)
    alert = alert_of(effect.organization, payload, effect.invitation, effect.created_at)
    try:
        delivery.post(
            effect.organization,
            address,
            message_id(effect),
            alert.body(address.kind),
            CallContext(effect=effect),
        )
    except CallDeferred:
        raise
    except PlatformError as error:
        note_failure(address.pk, str(error))
        raise
    return Done(record=partial(note_success, address.pk))


def message_id(effect: Effect) -> str:
    """Return the id of the alert: equal for every try of it, so that a receiver can drop repeats."""
    return f"msg_{effect.organization_id}_{effect.pk}"


def note_success(address: int) -> None:
    """Store that the address accepted an alert: it isn't stopped any more."""
    AlertAddress.objects.filter(pk=address).update(last_success_at=Now(), stopped_at=None)


def note_failure(address: int, reason: str) -> None:
    """Store that the address didn't accept an alert, and why."""
    AlertAddress.objects.filter(pk=address).update(last_failure_at=Now(), last_failure=reason)


def give_up_alert(effect: Effect, reason: str) -> Failed:
    """Return that an alert isn't tried again: nothing more is sent to its address until a test arrives.

    Otherwise the e-mail about this failure would lead to the next alert that fails.
    """
    return Failed(reason, also=partial(_stop, AlertPayload.from_json(effect.payload).address, reason))


def _stop(address: int, reason: str) -> None:
    running = AlertAddress.objects.filter(pk=address, stopped_at=None)
    running.update(stopped_at=Now(), last_failure_at=Now(), last_failure=reason)
