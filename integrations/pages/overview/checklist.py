"""The set-up checklist: each step read from the real state, with what to do when it isn't done."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from integrations.models import (
    CodeScreenConnection,
    Delivery,
    Invitation,
    LeverConnection,
    LeverWebhook,
    Organization,
    Role,
    RoleMapping,
)
from integrations.pages.activity.verdicts import next_step
from integrations.workflow.catalog.trigger_policy import trigger_stages
from integrations.workflow.health import webhook_rejections
from integrations.workflow.rules.tags import assessment_tags

TURN_ON = "In Lever, see that “Candidate Stage Change” is turned on under Settings › Integrations and API › Webhooks."


@dataclass(frozen=True)
class Step:
    """One step of the set-up."""

    code: str
    title: str
    is_done: bool
    state: str
    how: tuple[str, ...] = ()
    copy_label: str = ""
    copy_value: str = ""
    url: str = ""
    action: str = ""
    has_form: bool = False  # whether a Super Admin can do it on the spot


def steps(organization: Organization) -> list[Step]:
    """Return the steps in order; everything is done when each `is_done`."""
    settings_url = reverse("settings")
    return [
        _lever(organization, settings_url),
        *_webhook(organization, settings_url),
        _codescreen(organization, settings_url),
        _stage(organization),
        _roles(organization),
        _went_through(organization),
    ]


def _lever(organization: Organization, settings_url: str) -> Step:
    connection = LeverConnection.objects.filter(organization=organization).first()
    if connection is None or connection.state == LeverConnection.State.REVOKED:
        state = "Not connected yet."
    elif connection.is_working:
        state = "Connected."
    else:
        state = f"Lever no longer accepts the connection. {connection.state_reason}".strip()
    how = (
        "Press “Connect Lever”: Lever opens.",
        "Sign in to Lever as a Super Admin of your account and press “Accept”; you come back here.",
    )
    is_done = connection is not None and connection.is_working
    can_connect = bool(settings.LEVER_CLIENT_ID and settings.LEVER_CLIENT_SECRET)
    return Step(
        "lever",
        "Connect Lever",
        is_done,
        state,
        how,
        url=f"{settings_url}#lever",
        action="See why connecting is off",
        has_form=can_connect,
    )


def _webhook(organization: Organization, settings_url: str) -> list[Step]:
    webhooks = list(LeverWebhook.objects.active().filter(organization=organization))
    has_token = any(webhook.signature_token for webhook in webhooks)
    by_api = any(webhook.origin == LeverWebhook.Origin.API for webhook in webhooks)
    received = any(webhook.last_received_at for webhook in webhooks)
    seen = received or any(webhook.last_verified_at for webhook in webhooks)
    token_state = (
        "The portal made the webhook in Lever." if by_api else "The webhook's signature token is stored."
    )
    token = Step(
        "webhook",
        "Let Lever tell the portal about stage changes",
        has_token,
        token_state if has_token else "Lever doesn't know yet where to send them.",
        (
            "Let the portal make the webhook, Lever's way of telling, once Lever is connected.",
            "Or make it by hand, in Lever under Settings › Integrations and API › Webhooks.",
        ),
        url=f"{settings_url}#webhook",
        action="Go to the webhook",
        has_form=True,
    )
    return [token, _verified(organization, received=received, seen=seen)]


def _verified(organization: Organization, *, received: bool, seen: bool) -> Step:
    """Whether Lever reaches the portal; a test request proves the way, not that the event is turned on."""
    if received:
        state = "Lever's stage changes arrive."
    elif seen:
        state = f"Lever's test request arrived, no stage change yet. {TURN_ON}"
    else:
        state = "Nothing has arrived from Lever yet."
        refused = webhook_rejections.latest(organization, "lever")
        if refused:
            state = (
                f"A request came and was refused: {webhook_rejections.describe(refused.code, refused.hint)}"
            )
    return Step(
        "verified",
        "Check that Lever reaches the portal",
        seen,
        state,
        (
            "In Lever, open Settings › Integrations and API › Webhooks.",
            "Turn on “Candidate Stage Change”: only you can do that, no app may.",
            "Press “Verify Connection” beside the webhook. This step turns green within seconds.",
        ),
    )


def _codescreen(organization: Organization, settings_url: str) -> Step:
    connection = CodeScreenConnection.objects.filter(organization=organization).first()
    if connection is None or not connection.api_key:
        state = "No API key yet."
    elif not connection.is_working:
        state = "CodeScreen refused the stored key."
    elif connection.verified_at is None:
        state = "A key is stored; CodeScreen is being asked whether it accepts it."
    else:
        state = "CodeScreen accepts the key."
    return Step(
        "codescreen",
        "Connect CodeScreen",
        connection is not None and connection.is_working and connection.verified_at is not None,
        state,
        (
            "In CodeScreen, copy your account's API key. If you don't find one, ask CodeScreen for it.",
            "Paste it here. CodeScreen is asked at once whether it accepts it.",
        ),
        url=f"{settings_url}#codescreen",
        action="Go to the API key",
        has_form=True,
    )


def _stage(organization: Organization) -> Step:
    prefix = organization.stage_prefix
    names = [stage.name for stage in trigger_stages(organization)]
    found = ", ".join(f"“{name}”" for name in names)
    return Step(
        "stage",
        f"Have a stage that begins with “{prefix}”",
        bool(names),
        f"Entering {found} invites." if names else "No such stage is known yet.",
        (
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


def _roles(organization: Organization) -> Step:
    mapped = RoleMapping.objects.filter(organization=organization).count()
    tagged = sum(
        bool(assessment_tags(tags, title))
        for tags, title in Role.objects.live()
        .filter(organization=organization)
        .values_list("tags", "title")[:2000]
    )
    parts = []
    if mapped:
        parts.append(f"{mapped} {'mapping' if mapped == 1 else 'mappings'}")
    if tagged:
        parts.append(f"{tagged} tagged {'role' if tagged == 1 else 'roles'}")
    if organization.default_assessment:
        parts.append(f"“{organization.default_assessment}” for all others")
    return Step(
        "roles",
        "Say which assessment each role needs",
        bool(parts),
        (", ".join(parts) + ".") if parts else "No role has an assessment yet.",
        (
            "Under Mappings, choose a role and its assessment.",
            "Or tag the posting in Lever: “CodeScreen”, a space, the assessment's name.",
            "For example “CodeScreen Frontend Developer”.",
        ),
        url=f"{reverse('mapping-list')}?show=unmapped",
        action="Map a role",
    )


def _went_through(organization: Organization) -> Step:
    """Whether anybody has been invited yet; until then what became of the latest stage change."""
    is_done = Invitation.objects.filter(organization=organization).exclude(instance_id="").exists()
    state = "The first invitation went out." if is_done else "Nobody has been invited yet."
    if not is_done:
        latest = (
            Delivery.objects.filter(organization=organization, platform=Delivery.Platform.LEVER)
            .exclude(verdict__in=["", Delivery.Verdict.TEST_REQUEST])
            .order_by("-received_at", "-pk")
            .first()
        )
        if latest:
            state = (
                f"{state} The latest stage change: {latest.explanation} {next_step(latest.verdict)}".strip()
            )
    prefix = organization.stage_prefix
    return Step(
        "candidate",
        "See a test candidate go through",
        is_done,
        state,
        (
            "In Lever, add a candidate with your own e-mail address to a role that has an assessment.",
            f"Move them into a stage that begins with “{prefix}”.",
            "Within seconds the invitation is in your mailbox, and the tag “CodeScreen: Candidate Invited” in Lever.",
            f"Nothing happens? {TURN_ON}",
        ),
        url=f"{reverse('activity')}?show=deliveries",
        action="See what arrived",
    )
