"""The lever and codescreen tables of a configuration against the stored tokens and keys. Asks no platform."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils import timezone

from integrations.configuration.load import ConfigurationError
from integrations.configuration.plan import ACTOR, Plan, changed, secret_changed, sign_of
from integrations.models import AuditAction, AuditEntry, CodeScreenConnection, LeverWebhook, Organization
from integrations.models.lever_webhook import TOKEN_OVERLAP
from integrations.workflow.operations import connections


def compare_lever(plan: Plan, wanted: dict[str, str]) -> None:
    """Add what differs of the signature tokens."""
    organization = plan.organization
    webhook = None if plan.is_new else _manual_webhook(organization)
    stored = webhook.signature_token if webhook else ""
    token = wanted.get("signature_token", "").strip()
    if token and token != stored:
        plan.say(sign_of(stored, token), "lever.signature_token", secret_changed(stored, token))
        save = partial(connections.save_signature_token, organization, token, ACTOR)
        plan.do("lever.signature_token", save)
    if "previous_signature_token" not in wanted:
        return
    previous = wanted["previous_signature_token"].strip()
    before = webhook.previous_signature_token if webhook else ""
    if previous == before:
        return
    if not (token or stored):
        raise ConfigurationError("lever.previous_signature_token needs a lever.signature_token beside it.")
    plan.say(sign_of(before, previous), "lever.previous_signature_token", secret_changed(before, previous))
    plan.do("lever.previous_signature_token", partial(_save_previous, organization, previous))


def _manual_webhook(organization: Organization) -> LeverWebhook | None:
    return LeverWebhook.objects.manual().filter(organization=organization).first()


def _save_previous(organization: Organization, token: str) -> None:
    if len(token) > 500 or not token.isprintable():
        raise ValueError("Copy the whole signature token from Lever, without line breaks.")
    webhook = _manual_webhook(organization)
    # the rotation just before may have put it there already
    if webhook is None or webhook.previous_signature_token == token:
        return
    changes = {"previous_signature_token": (webhook.previous_signature_token, token)}
    webhook.previous_signature_token = token
    webhook.previous_until = timezone.now() + TOKEN_OVERLAP if token else None
    webhook.previous_proved_at = None
    webhook.save(update_fields=["previous_signature_token", "previous_until", "previous_proved_at"])
    target = connections.webhook_target(webhook)
    AuditEntry.record(organization, ACTOR, AuditAction.SAVE_CONNECTION, target, changes)


SAVE: dict[str, Callable[[Organization, str, Any], None]] = {
    "api_key": connections.save_codescreen_key,
    "webhook_secret": connections.save_codescreen_webhook_secret,
}


def compare_codescreen(plan: Plan, wanted: dict[str, Any]) -> None:
    """Add what differs of the key, the webhook secret and what the account honours."""
    organization = plan.organization
    connection = None
    if not plan.is_new:
        connection = CodeScreenConnection.objects.filter(organization=organization).first()
    for name, save in SAVE.items():
        stored = str(getattr(connection, name, ""))
        value = str(wanted.get(name, stored)).strip()
        if value != stored:
            plan.say(sign_of(stored, value), f"codescreen.{name}", secret_changed(stored, value))
            plan.do(f"codescreen.{name}", partial(save, organization, value, ACTOR))
    honoured = bool(connection and connection.idempotency)
    idempotency = wanted.get("idempotency", honoured)
    if idempotency != honoured:
        plan.say("~", "codescreen.idempotency", changed(honoured, idempotency))
        plan.do("codescreen.idempotency", partial(_save_idempotency, organization, idempotency))


def _save_idempotency(organization: Organization, value: bool) -> None:
    connection, _ = CodeScreenConnection.objects.update_or_create(
        organization=organization, defaults={"idempotency": value}
    )
    target = connections.codescreen_target(connection)
    changes = {"idempotency": (not value, value)}
    AuditEntry.record(organization, ACTOR, AuditAction.SAVE_CONNECTION, target, changes)
