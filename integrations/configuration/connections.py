"""The lever and codescreen tables of a configuration against the stored tokens and keys. Asks no platform."""

from collections.abc import Callable
from functools import partial
from typing import Any

from integrations.configuration.load import ConfigurationError
from integrations.configuration.plan import ACTOR, Plan, changed, secret_changed, sign_of
from integrations.models import CodeScreenConnection, LeverWebhook, Organization
from integrations.workflow.operations.codescreen_connection import (
    save_codescreen_idempotency,
    save_codescreen_key,
    save_codescreen_webhook_secret,
)
from integrations.workflow.operations.signature_tokens import save_main_token, save_previous_token


def compare_lever(plan: Plan, wanted: dict[str, str]) -> None:
    """Add what differs of the signature tokens."""
    organization = plan.organization
    webhook = None if plan.is_new else _manual_webhook(organization)
    stored = webhook.signature_token if webhook else ""
    token = wanted.get("signature_token", "").strip()
    if token and token != stored:
        plan.say(sign_of(stored, token), "lever.signature_token", secret_changed(stored, token))
        save = partial(save_main_token, organization, token, ACTOR)
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
    plan.do("lever.previous_signature_token", partial(save_previous_token, organization, previous, ACTOR))


def _manual_webhook(organization: Organization) -> LeverWebhook | None:
    return LeverWebhook.objects.manual().filter(organization=organization).first()


SAVE: dict[str, Callable[[Organization, str, Any], None]] = {
    "api_key": save_codescreen_key,
    "webhook_secret": save_codescreen_webhook_secret,
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
        plan.do(
            "codescreen.idempotency", partial(save_codescreen_idempotency, organization, idempotency, ACTOR)
        )
