"""Saving what the settings page's forms post for the connections."""

from collections.abc import Callable

from django.core.exceptions import ValidationError

from integrations.models import Actor, Organization
from integrations.pages.settings.connection_forms import ConnectionsForm
from integrations.workflow.operations.codescreen_connection import (
    save_codescreen_idempotency,
    save_codescreen_key,
    save_codescreen_webhook_secret,
)
from integrations.workflow.operations.signature_tokens import save_main_token

#: For each field, the operation that saves it and the message afterwards.
_SECRETS: tuple[tuple[str, Callable[[Organization, str, Actor], None], str], ...] = (
    ("lever_signature_token", save_main_token, "The signature token is stored."),
    (
        "codescreen_api_key",
        save_codescreen_key,
        "The API key is stored; CodeScreen is asked whether it accepts it.",
    ),
    ("codescreen_webhook_secret", save_codescreen_webhook_secret, "The webhook secret is stored."),
)


def save_secrets(form: ConnectionsForm, organization: Organization, actor: Actor) -> list[str]:
    """Save each secret that was entered and return the messages; what is invalid becomes an error of its field."""
    saved = []
    for field, save, message in _SECRETS:
        secret = form.cleaned_data[field]
        if not secret:
            continue
        try:
            save(organization, secret, actor)
        except ValidationError as error:
            form.add_error(field, error)
        else:
            saved.append(message)
    return saved


def save_idempotency(form: ConnectionsForm, organization: Organization, actor: Actor) -> list[str]:
    """Save the Idempotency-Key setting if its form was posted, and return the message; none when nothing changed."""
    # an unticked checkbox isn't posted, so the form names itself
    if not {"codescreen_form", "codescreen_idempotency"} & form.data.keys():
        return []
    is_honoured = form.cleaned_data["codescreen_idempotency"]
    is_changed = save_codescreen_idempotency(organization, is_honoured, actor)
    return ["The Idempotency-Key setting is stored."] if is_changed else []
