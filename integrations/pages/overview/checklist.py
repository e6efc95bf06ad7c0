"""The set-up checklist: each step is read from the database, never ticked by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from integrations.catalog.models import Role, RoleMapping, Stage
from integrations.core.rules.names import assessment_tags
from integrations.core.vocabulary import DeliveryEvent, Platform, ProgressTag
from integrations.health.checks.webhooks import open_rejection
from integrations.health.findings import counted
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from integrations.invitations.models.invitation import Invitation
from integrations.lever.lookups import webhooks_page
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from integrations.pages.mappings import pick_list
from integrations.pages.mappings.pick_list import PickList

TURN_ON = "In Lever, see that “Candidate Stage Change” is turned on under Settings › Integrations and API › Webhooks."
MAX_ROLES = 2000


@dataclass(frozen=True)
class SetupStep:
    """A step: whether it is done, or begun only; its state in sentences, what to do, and where.

    `copy_value` is a text to copy into the platform; `action` labels the link to `url`. With `has_form`, a Super
    Admin can do the step on the checklist itself; with `roles` and `assessments`, to choose from, an Admin too.
    """

    code: str
    title: str
    is_done: bool
    state: str
    instructions: tuple[str, ...]
    is_begun: bool = False
    copy_label: str = ""
    copy_value: str = ""
    url: str = ""
    action: str = ""
    has_form: bool = False
    roles: tuple[tuple[str, str], ...] = ()
    assessments: tuple[tuple[str, str], ...] = ()


def _lever_step(organization: Organization) -> SetupStep:
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
    has_request = any(webhook.last_received_at or webhook.last_verified_at for webhook in webhooks)
    stage_changes = Delivery.objects.filter(organization=organization, event=DeliveryEvent.STAGE_CHANGE)
    has_delivery = any(webhook.last_received_at for webhook in webhooks) or (
        has_request and stage_changes.exists()
    )
    if has_delivery:
        state = "Lever's stage changes arrive."
    elif has_request:
        state = f"Lever's test request arrived, no stage change yet. {TURN_ON}"
    else:
        state = "Nothing has arrived from Lever yet."
        rejection = open_rejection(organization, Platform.LEVER)
        if rejection:
            state = f"We rejected Lever's last message: {rejection.reason}. {rejection.fix}"
    return SetupStep(
        code="verified",
        title="Check that Lever reaches the portal",
        is_done=has_delivery,
        is_begun=has_request and not has_delivery,
        state=state,
        instructions=(
            "In Lever, open Settings › Integrations and API › Webhooks.",
            "Turn on “Candidate Stage Change” and “Candidate Deleted”: only you can do that, no app may.",
            "Press “Verify Connection” beside the webhook. This step turns amber within seconds.",
            "It turns green with the first stage change: move a candidate into another stage.",
        ),
        url=webhooks_page(),
        action="Open the webhooks in Lever",
    )


def _stage_step(organization: Organization, trigger_stages: Sequence[Stage]) -> SetupStep:
    prefix = organization.stage_prefix
    names = ", ".join(f"“{stage.name}”" for stage in trigger_stages)
    return SetupStep(
        code="stage",
        title=f"Have a stage that begins with “{prefix}”",
        is_done=bool(names),
        state=f"A move into {names} sends the assessment." if names else "Lever has no such stage yet.",
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


def _codescreen_step(organization: Organization) -> SetupStep:
    """Return the step that stores CodeScreen's API key; done once CodeScreen has accepted it."""
    connection = organization.codescreen
    if connection is not None and connection.is_key_unreadable:
        state = "The stored key can't be read with the portal's encryption keys: enter it again."
    elif connection is None or not connection.api_key:
        state = "No API key yet."
    elif not connection.is_working:
        state = "CodeScreen refused the stored key."
    elif connection.verified_at is None:
        state = "A key is stored; CodeScreen is being asked whether it accepts it."
    else:
        state = "CodeScreen accepts the key."
    return SetupStep(
        code="codescreen",
        title="Connect CodeScreen",
        is_done=connection is not None and connection.is_working and connection.verified_at is not None,
        state=state,
        instructions=(
            "In CodeScreen, copy your account's API key. If you don't find one, ask CodeScreen for it.",
            "Paste it here. CodeScreen is asked at once whether it accepts it; only then is it stored.",
        ),
        url=f"{reverse('settings')}#codescreen",
        action="Go to the API key",
        has_form=True,
    )


def _roles_step(organization: Organization) -> SetupStep:
    """Return the step that gives roles their assessments: by mapping, by tag, or by default."""
    mapped = RoleMapping.objects.filter(organization=organization).count()
    roles = Role.objects.live().filter(organization=organization).order_by("title", "pk")
    tags_and_titles = roles.values_list("tags", "title")[:MAX_ROLES]
    tagged = sum(bool(assessment_tags(tags, title)) for tags, title in tags_and_titles)
    sources = []
    if mapped:
        sources.append(f"Here: {counted(mapped, 'mapping')}.")
    if tagged:
        sources.append(f"Tagged in Lever: {counted(tagged, 'role')}.")
    if organization.default_assessment:
        sources.append(f"All other roles get “{organization.default_assessment}”.")
    can_choose = not sources and organization.codescreen is not None
    return SetupStep(
        code="roles",
        title="Say which assessment each role needs",
        is_done=bool(sources),
        state=" ".join(sources) or "No role has an assessment yet.",
        instructions=(
            "Choose a role and its assessment.",
            "Or tag the posting in Lever: “CodeScreen”, a space, the assessment's name.",
            "For example “CodeScreen Frontend Developer”.",
        ),
        roles=_choices(pick_list.roles(organization)) if can_choose else (),
        assessments=_choices(pick_list.assessments(organization)) if can_choose else (),
        url=f"{reverse('mapping-list')}?show=unmapped",
        action="Map a role",
    )


def _choices(known: PickList) -> tuple[tuple[str, str], ...]:
    """Return what a list of the checklist offers; nothing where the list is too long, or isn't known yet."""
    return tuple(known.choices("", "Choose…")) if known.is_select else ()


def _candidate_step(organization: Organization) -> SetupStep:
    """Return the step that invites a first candidate; until then it explains the latest stage change's verdict."""
    prefix = organization.stage_prefix
    is_done = Invitation.objects.filter(organization=organization).exclude(instance_id="").exists()
    return SetupStep(
        code="candidate",
        title="See a test candidate go through",
        is_done=is_done,
        state="The first invitation went out." if is_done else _not_invited_yet(organization),
        instructions=(
            "In Lever, take a candidate with your own e-mail address, or add one, in a role that has an assessment.",
            f"Move them into a stage that begins with “{prefix}”.",
            f"Within seconds CodeScreen sends the invitation, and Lever shows the tag “{ProgressTag.INVITED}”.",
            f"Nothing happens? {TURN_ON}",
        ),
        url=reverse("activity"),
        action="See the candidates",
    )


def _not_invited_yet(organization: Organization) -> str:
    state = "Nobody has been invited yet."
    latest = (
        Delivery.objects.filter(organization=organization, platform=Delivery.Platform.LEVER)
        .exclude(verdict__in=["", Delivery.VerdictCode.TEST_REQUEST])
        .order_by("-received_at", "-pk")
        .first()
    )
    if latest is None:
        return state
    return f"{state} The latest stage change: {latest.explanation} {next_step(latest.verdict)}".strip()


def setup_steps(organization: Organization, trigger_stages: Sequence[Stage]) -> list[SetupStep]:
    """Return the steps in order; the set-up is complete when every step is done."""
    organization = Organization.objects.reread(organization.pk)
    webhooks = list(LeverWebhook.objects.active().filter(organization=organization))
    return [
        _lever_step(organization),
        _webhook_step(webhooks),
        _verified_step(organization, webhooks),
        _codescreen_step(organization),
        _stage_step(organization, trigger_stages),
        _roles_step(organization),
        _candidate_step(organization),
    ]
