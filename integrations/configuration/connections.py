"""The lever and codescreen tables of a configuration, compared with the stored tokens and keys.

Neither platform is called.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from integrations.configuration.contents import CodeScreenTable, LeverTable
from integrations.configuration.load import ConfigurationError
from integrations.configuration.plan import ACTOR, Change, Line, Sign, changed_secret, changed_value
from integrations.models import Actor, CodeScreenConnection, LeverWebhook, Organization
from integrations.workflow.operations.codescreen_connection import (
    save_codescreen_idempotency,
    save_codescreen_key,
    save_codescreen_webhook_secret,
)
from integrations.workflow.operations.signature_tokens import save_main_token, save_previous_token


@dataclass(frozen=True)
class SecretChanged:
    """A new value of one secret; empty removes it."""

    path: str
    before: str = field(repr=False)
    after: str = field(repr=False)
    save: Callable[[Organization, str, Actor], None]

    @property
    def lines(self) -> list[Line]:
        """That it changes, without its values."""
        return [
            Line(Sign.between(self.before, self.after), self.path, changed_secret(self.before, self.after))
        ]

    def apply(self, organization: Organization) -> None:
        """Store it."""
        self.save(organization, self.after, ACTOR)


@dataclass(frozen=True)
class IdempotencyChanged:
    """Whether the CodeScreen account honours the Idempotency-Key header, where that changes."""

    is_honoured: bool

    path = "codescreen.idempotency"

    @property
    def lines(self) -> list[Line]:
        """The value before and after."""
        return [Line(Sign.CHANGED, self.path, changed_value(not self.is_honoured, self.is_honoured))]

    def apply(self, organization: Organization) -> None:
        """Store it."""
        save_codescreen_idempotency(organization, self.is_honoured, ACTOR)


def compare_lever(wanted: LeverTable, organization: Organization) -> Iterator[Change]:
    """Yield the signature tokens that differ. Raises ConfigurationError."""
    webhook = None
    if organization.pk is not None:
        webhook = LeverWebhook.objects.manual().filter(organization=organization).first()
    stored = webhook.signature_token if webhook else ""
    token = wanted.get("signature_token", "").strip()
    if token and token != stored:
        yield SecretChanged("lever.signature_token", stored, token, save_main_token)
    if "previous_signature_token" not in wanted:
        return
    previous = wanted["previous_signature_token"].strip()
    stored_previous = webhook.previous_signature_token if webhook else ""
    if previous == stored_previous:
        return
    if not (token or stored):
        raise ConfigurationError("lever.previous_signature_token needs a lever.signature_token beside it.")
    yield SecretChanged("lever.previous_signature_token", stored_previous, previous, save_previous_token)


def compare_codescreen(wanted: CodeScreenTable, organization: Organization) -> Iterator[Change]:
    """Yield what differs of the key, the webhook secret and what the account supports."""
    connection = None
    if organization.pk is not None:
        connection = CodeScreenConnection.objects.filter(organization=organization).first()
    connection = connection or CodeScreenConnection()
    key = wanted["api_key"].strip() if "api_key" in wanted else connection.api_key
    if key != connection.api_key:
        yield SecretChanged("codescreen.api_key", connection.api_key, key, save_codescreen_key)
    secret = wanted["webhook_secret"].strip() if "webhook_secret" in wanted else connection.webhook_secret
    if secret != connection.webhook_secret:
        yield SecretChanged(
            "codescreen.webhook_secret",
            connection.webhook_secret,
            secret,
            save_codescreen_webhook_secret,
        )
    is_honoured = wanted.get("idempotency", connection.idempotency)
    if is_honoured != connection.idempotency:
        yield IdempotencyChanged(is_honoured)
