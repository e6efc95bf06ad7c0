"""The checklist's steps in Lever: connect, webhook, a first request, a stage that invites."""

from collections.abc import Sequence

from django.conf import settings
from django.urls import reverse

from integrations.models import Delivery, LeverConnection, LeverWebhook, Organization, Stage
from integrations.pages.overview.setup_step import SetupStep
from integrations.vocabulary import DeliveryEvent
from integrations.workflow.health import webhook_rejections

TURN_ON = "In Lever, see that “Candidate Stage Change” is turned on under Settings › Integrations and API › Webhooks."


def lever_step(organization: Organization) -> SetupStep:
    """Return the step that connects Lever."""
    connection = organization.lever
    if connection is None or connection.state == LeverConnection.State.REVOKED:
        state = "Not connected yet."
    elif connection.is_working:
        state = f"Connected, by {connection.giver}." if connection.giver else "Connected."
    elif connection.is_unreadable:
        state = "The stored tokens can't be read with the portal's encryption keys: connect Lever again."
    else:
        state = f"Lever no longer accepts the connection. {connection.state_reason}".strip()
    return SetupStep(
        code="lever",
        title="Connect Lever",
        is_done=connection is not None and connection.is_working,
        state=state,
        instructions=(
            "Press “Connect Lever”: Lever opens.",
            "Sign in to Lever as a Super Admin of your account and press “Accept”; you come back here.",
        ),
        url=f"{reverse('settings')}#lever",
        action="See why connecting is off",
        has_form=bool(settings.LEVER_CLIENT_ID and settings.LEVER_CLIENT_SECRET),
    )


def webhook_steps(organization: Organization) -> list[SetupStep]:
    """Return the steps that store the webhook's token and receive Lever's first request."""
    webhooks = list(LeverWebhook.objects.active().filter(organization=organization))
    return [_webhook_step(webhooks), _verified_step(organization, webhooks)]


def _webhook_step(webhooks: list[LeverWebhook]) -> SetupStep:
    has_token = any(webhook.signature_token for webhook in webhooks)
    if not has_token and any(webhook.unreadable_tokens for webhook in webhooks):
        state = "The stored signature token can't be read with the portal's encryption keys: enter it again."
    elif not has_token:
        state = "Lever doesn't know yet where to send them."
    elif any(webhook.origin == LeverWebhook.Origin.API for webhook in webhooks):
        state = "The portal made the webhook in Lever."
    else:
        state = "The webhook's signature token is stored."
    return SetupStep(
        code="webhook",
        title="Let Lever tell the portal about stage changes",
        is_done=has_token,
        state=state,
        instructions=(
            "Press “Make the webhook for me”: the portal makes the webhook, Lever's notifications, in your account.",
        ),
        url=f"{reverse('settings')}#webhook",
        action="Go to the webhook",
        has_form=True,
    )


def _verified_step(organization: Organization, webhooks: list[LeverWebhook]) -> SetupStep:
    """Return the step that receives a stage change; a test request doesn't prove that the event is turned on."""
    has_delivery = any(webhook.last_received_at for webhook in webhooks)
    has_request = has_delivery or any(webhook.last_verified_at for webhook in webhooks)
    came_before = (
        has_request
        and Delivery.objects.filter(organization=organization, event=DeliveryEvent.STAGE_CHANGE).exists()
    )
    if has_delivery:
        state = "Lever's stage changes arrive."
    elif came_before:
        state = "Lever's test request arrived. Stage changes came before."
    elif has_request:
        state = f"Lever's test request arrived, no stage change yet. {TURN_ON}"
    else:
        state = "Nothing has arrived from Lever yet."
        rejection = webhook_rejections.latest(organization, Delivery.Platform.LEVER)
        if rejection:
            reason = webhook_rejections.describe(rejection.code, rejection.hint)
            state = f"We rejected Lever's last message: {reason}"
    return SetupStep(
        code="verified",
        title="Check that Lever reaches the portal",
        is_done=has_delivery or came_before,
        is_begun=has_request and not has_delivery and not came_before,
        state=state,
        instructions=(
            "In Lever, open Settings › Integrations and API › Webhooks.",
            "Turn on “Candidate Stage Change” and “Candidate Deleted”: only you can do that, no app may.",
            "Press “Verify Connection” beside the webhook. This step turns amber within seconds.",
            "It turns green with the first stage change: move a candidate into another stage.",
        ),
    )


def stage_step(organization: Organization, trigger_stages: Sequence[Stage]) -> SetupStep:
    """Return the step that adds a stage which invites."""
    prefix = organization.stage_prefix
    names = ", ".join(f"“{stage.name}”" for stage in trigger_stages)
    return SetupStep(
        code="stage",
        title=f"Have a stage that begins with “{prefix}”",
        is_done=bool(names),
        state=f"Entering {names} invites." if names else "No such stage is known yet.",
        instructions=(
            "In Lever, open Settings › Pipeline and archive reasons › Pipeline stages › Customize Pipeline Stages.",
            f"Press “+ Add Stage” and name it, for example, “{prefix} Assessment”.",
            "Come back here: the portal reads your stages every few seconds while this page is open.",
        ),
        copy_label="Stage name",
        copy_value=f"{prefix} Assessment",
        url=reverse("mapping-list"),
        action="Go to the mappings",
        has_form=True,
    )
