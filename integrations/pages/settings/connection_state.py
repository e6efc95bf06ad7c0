"""The state of an organization's connections, as the settings page shows it, and the forms for their secrets."""

from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.conf import settings

from integrations.catalog.models import Assessment
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.vocabulary import Platform, WebhookEvent
from integrations.health import webhook_rejections
from integrations.health.models import WebhookRejection
from integrations.lever import acts as lever_acts
from integrations.lever.acts import Token, webhooks_at_former_addresses
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.oauth import scopes_of
from integrations.organizations.acts import honoured_former_keys
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.webhook_keys import KEY_OVERLAP, FormerWebhookKey


@dataclass(frozen=True)
class Scope:
    """One OAuth scope, the reason for requesting it, and whether Lever granted it."""

    name: str
    reason: str
    is_granted: bool


@dataclass(frozen=True)
class Rejection:
    """The last webhook request that was rejected; `is_over` once a later request was accepted."""

    row: WebhookRejection
    title: str
    cure: str
    is_over: bool


@dataclass(frozen=True)
class LeverState:
    """Lever's connection with its scopes, signature tokens and webhooks.

    `scopes_known` is False while no scopes are stored for a working connection.
    """

    connection: LeverConnection | None
    can_connect: bool
    scopes: list[Scope]
    scopes_known: bool
    tokens: list[Token]
    retired_webhooks: list[LeverWebhook]
    manual_webhooks: list[LeverWebhook]
    api_webhooks: list[LeverWebhook]
    rejection: Rejection | None
    former_keys: list[FormerWebhookKey]
    #: Whether Lever still sends the portal's own webhook to a former address.
    must_move_webhook: bool

    @property
    def must_make_webhook_again(self) -> bool:
        """Whether the portal's own webhook has a token that can't be read: Lever doesn't show it a second time."""
        return any(webhook.unreadable_tokens for webhook in self.api_webhooks)

    @property
    def lacks_webhook(self) -> bool:
        """Whether the portal made webhooks, but not for every event that it asks for by now."""
        made = {webhook.event for webhook in self.api_webhooks}
        return bool(made) and not made.issuperset(WebhookEvent)

    @property
    def is_ready(self) -> bool:
        """Whether a token is stored that can verify deliveries."""
        return any(not token.is_unreadable for token in self.tokens)

    @property
    def has_heard(self) -> bool:
        """Whether a message or test request of Lever has been verified."""
        return _last_accepted_at([*self.manual_webhooks, *self.api_webhooks]) is not None

    @property
    def granted_count(self) -> int:
        """How many of the requested scopes are granted."""
        return sum(scope.is_granted for scope in self.scopes)


@dataclass(frozen=True)
class CodeScreenState:
    """CodeScreen's connection, how many assessments it lists, and its last rejected webhook."""

    connection: CodeScreenConnection | None
    assessment_count: int
    rejection: Rejection | None


def lever_state(organization: Organization) -> LeverState:
    """Return the state of the connection to Lever."""
    connections = LeverConnection.objects.filter(organization=organization).select_related("connected_by")
    connection = connections.first()
    granted = connection.granted_scopes if connection and connection.is_working else set()
    scopes = scopes_of(attaches_files=organization.attach_report)
    webhooks = list(LeverWebhook.objects.active().filter(organization=organization).order_by("pk"))
    return LeverState(
        connection=connection,
        can_connect=bool(settings.LEVER_CLIENT_ID and settings.LEVER_CLIENT_SECRET),
        scopes=[Scope(name, reason, _is_granted(name, granted)) for name, reason in scopes.items()],
        scopes_known=bool(granted),
        tokens=lever_acts.active_tokens(organization),
        retired_webhooks=lever_acts.recently_retired(organization),
        manual_webhooks=[row for row in webhooks if row.origin == LeverWebhook.Origin.MANUAL],
        api_webhooks=[row for row in webhooks if row.origin == LeverWebhook.Origin.API],
        rejection=_rejection(organization, Platform.LEVER, _last_accepted_at(webhooks)),
        former_keys=honoured_former_keys(organization),
        must_move_webhook=bool(webhooks_at_former_addresses(organization)),
    )


def codescreen_state(organization: Organization) -> CodeScreenState:
    """Return the state of the connection to CodeScreen."""
    connection = CodeScreenConnection.objects.filter(organization=organization).first()
    accepted_at = connection.last_received_at if connection else None
    return CodeScreenState(
        connection=connection,
        assessment_count=Assessment.objects.live().filter(organization=organization).count(),
        rejection=_rejection(organization, Platform.CODESCREEN, accepted_at),
    )


def _is_granted(scope: str, granted: set[str]) -> bool:
    """Whether a scope is granted; a write scope includes its read scope."""
    return bool(granted & {scope, scope.replace(":read:", ":write:")})


def _last_accepted_at(webhooks: list[LeverWebhook]) -> datetime | None:
    """Return when Lever last sent a verified delivery or test request."""
    times = [at for webhook in webhooks for at in (webhook.last_received_at, webhook.last_verified_at) if at]
    return max(times, default=None)


def _rejection(
    organization: Organization, platform: Platform, accepted_at: datetime | None
) -> Rejection | None:
    row = webhook_rejections.latest(organization, platform)
    if row is None:
        return None
    return Rejection(
        row,
        title=webhook_rejections.short_reason(row.code),
        cure=webhook_rejections.cure(row.code, row.hint),
        is_over=bool(accepted_at and accepted_at > row.last_at),
    )


MAX_OVERLAP_DAYS = 90


def _secret(label: str, help_text: str) -> forms.CharField:
    """Return a field whose stored value is never shown."""
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=2000, widget=widget)


class ConnectionsForm(forms.Form):
    """The secrets of both connections. Each field may be posted alone; an empty field changes nothing."""

    #: Whether a key could not be tried and was not stored: a person may store it untried.
    offers_untried = False

    lever_signature_token = _secret(
        "Lever Webhook Signature",
        "In Lever: Settings › Integrations and API › Webhooks, the “Signature token” of “Candidate Stage Change”.",
    )
    codescreen_api_key = _secret("API key", "CodeScreen gives you this key for your account.")
    codescreen_untried = forms.BooleanField(
        label="Store the key without trying it",
        help_text="The key that is stored now goes at once, whether or not CodeScreen accepts the new one.",
        required=False,
    )
    codescreen_webhook_secret = _secret(
        "Webhook secret", "Only if CodeScreen sends your account webhooks. It begins with whsec_."
    )
    codescreen_idempotency = forms.BooleanField(
        label="The account supports idempotency keys",
        help_text="An invitation whose answer got lost can then be sent again safely. Ask CodeScreen if unsure.",
        required=False,
    )


class AddTokenForm(forms.Form):
    """An additional signature token, accepted beside the existing ones."""

    token_name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="For you, such as “Second webhook”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    additional_token = _secret("Signature token", "From Lever, beside the other webhook to the same address.")


class WebhookAddressForm(forms.Form):
    """For how long the address that is replaced still works."""

    overlap_days = forms.IntegerField(
        label="Honour the present address for so many days",
        min_value=0,
        max_value=MAX_OVERLAP_DAYS,
        initial=KEY_OVERLAP.days,
        help_text="0 refuses it at once: only if somebody else knows it.",
    )
