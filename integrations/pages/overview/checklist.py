"""The set-up checklist: each step is read from the database, never ticked by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from integrations.audit.models.entry import AuditEntry
from integrations.catalog.models import Role, RoleMapping
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.rules.facts import Pause
from integrations.core.rules.names import assessment_tags
from integrations.core.vocabulary import DeliveryEvent, Platform
from integrations.health.checks.connections import has_bar
from integrations.health.checks.webhooks import open_rejection
from integrations.health.findings import Finding, counted, day
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from integrations.pages.mappings import pick_list
from integrations.pages.mappings.pick_list import PickList

MAX_ROLES = 2000


@dataclass(frozen=True)
class SetupStep:
    """A step: whether it is done, or begun only, and its state in sentences; what to do is in its part of the page.

    With `roles` and `assessments`, to choose from, an Admin can do the step on the checklist itself.
    """

    code: str
    title: str
    is_done: bool
    state: str
    is_begun: bool = False
    roles: tuple[tuple[str, str], ...] = ()
    assessments: tuple[tuple[str, str], ...] = ()


def said_by_steps(steps: Iterable[SetupStep], findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that a step which is to do says too."""
    to_do = {step.code for step in steps if not step.is_done}
    return [one for one in findings if one.code.record.set_up_step in to_do]


def _lever_step(organization: Organization) -> SetupStep:
    connection = organization.lever
    if connection is None or connection.state == LeverConnection.State.REVOKED:
        state = "Not connected yet."
    elif connection.is_working:
        state = f"Connected, by {connection.user}." if connection.user else "Connected."
    elif connection.is_unreadable:
        state = "The stored tokens can't be read with the portal's encryption keys: connect Lever again."
    else:
        state = f"Lever no longer accepts the connection. {connection.state_reason}".strip()
    return SetupStep(
        code="lever",
        title="Connect Lever",
        is_done=connection is not None and connection.is_working,
        state=state,
    )


def _other_integration_step(organization: Organization) -> SetupStep:
    said = AuditEntry.objects.filter(
        organization=organization, changes__has_key="other_integration_off"
    ).first()
    if organization.other_webhook_since is not None and not organization.other_integration_off:
        state = "A webhook in Lever leads to CodeScreen, so nothing is sent. What arrives is kept, and decided later."
    elif organization.pause is Pause.OTHER_INTEGRATION:
        state = (
            "Somebody who just moved has a progress tag that the portal didn't set, so nothing is sent. What "
            "arrives is kept, and decided later."
        )
    elif not organization.other_integration_off:
        state = "If it is on too, candidates get two invitations. So nothing is sent once the portal sees it."
    elif said is None:
        state = "It is off, as the portal's operator says."
    else:
        state = f"It is off, as {said.actor_name} said on {day(said.at)}."
    return SetupStep(
        code="other_integration",
        title="Switch off CodeScreen's own Lever integration",
        is_done=organization.other_integration_off,
        state=state,
    )


def _webhook_step(organization: Organization, webhooks: Sequence[LeverWebhook]) -> SetupStep:
    """Return the step that lets Lever tell of stage changes: done once Lever lists the webhook, or has tried it."""
    made = [webhook for webhook in webhooks if webhook.origin == LeverWebhook.Origin.API]
    by_hand = [webhook for webhook in webhooks if webhook.origin == LeverWebhook.Origin.MANUAL]
    is_listed = any(one.signature_token and one.listed_at and not one.missing_since for one in made)
    is_stored = any(webhook.signature_token for webhook in by_hand)
    is_tried = is_stored and any(one.last_verified_at or one.last_received_at for one in by_hand)
    is_open = is_stored and not (is_tried or is_listed)
    rejection = open_rejection(organization, Platform.LEVER) if is_open else None
    if is_listed:
        state = "Lever lists the webhook that the portal made, and its signature token is stored."
    elif is_tried:
        state = "Lever's messages arrive, and their signature is right."
    elif is_stored:
        state = "The signature token is stored. Now press “Verify Connection” beside the webhook in Lever."
        if rejection:
            state = f"We rejected Lever's last message: {rejection.reason}. {rejection.fix}"
    elif any(webhook.unreadable_tokens for webhook in webhooks):
        state = "The stored signature token can't be read with the portal's encryption keys: enter it again."
    elif made:
        state = "Lever doesn't list the webhook that the portal made: make it again."
    else:
        state = "Lever doesn't know yet where to send them."
    return SetupStep(
        code="webhook",
        title="Let Lever tell the portal about stage changes",
        is_done=is_listed or is_tried,
        is_begun=is_open and rejection is None,
        state=state,
    )


def _codescreen_step(organization: Organization) -> SetupStep:
    """Return the step that stores CodeScreen's API key; done once CodeScreen has accepted it."""
    connection = organization.codescreen
    if connection is not None and connection.is_key_unreadable:
        state = "The stored key can't be read with the portal's encryption keys: enter it again."
    elif connection is None or not connection.api_key:
        state = "No API key yet."
    elif connection.state == CodeScreenConnection.State.NOT_FOUND:
        state = f"{connection.state_reason}."
    elif not connection.is_working:
        state = "CodeScreen refused the stored key."
    elif connection.state == CodeScreenConnection.State.UNTRIED:
        state = "A key is stored; CodeScreen is being asked whether it accepts it."
    else:
        state = "CodeScreen accepts the key."
    return SetupStep(
        code="codescreen",
        title="Connect CodeScreen",
        is_done=connection is not None and connection.state == CodeScreenConnection.State.CONNECTED,
        state=state,
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
        roles=_choices(pick_list.roles(organization)) if can_choose else (),
        assessments=_choices(pick_list.assessments(organization)) if can_choose else (),
    )


def _choices(known: PickList) -> tuple[tuple[str, str], ...]:
    """Return what a list of the checklist offers; nothing where the list is too long, or isn't known yet."""
    return tuple(known.choices("", "Choose…")) if known.is_select else ()


def _passed_step(organization: Organization) -> SetupStep:
    """Return the step that asks what counts as passed: what CodeScreen states, or a bar of the organization's own."""
    connection = organization.codescreen
    states_results = connection.states_results if connection is not None else None
    if states_results:
        state = "CodeScreen states it: its last result came with Passed, Failed or Expired."
    elif organization.passing_score is not None:
        state = f"Where CodeScreen doesn't state it, a score of {organization.passing_score} or more."
    elif has_bar(organization):
        state = "Where CodeScreen doesn't state it, the passing scores of your mappings."
    elif not organization.passed_as_stated:
        state = "Not said yet. CodeScreen gives every account a score; Passed or Failed only where asked for."
    elif states_results is None:
        state = "What CodeScreen states. No result has come yet."
    else:
        state = "What CodeScreen states. Its last result came without Passed or Failed."
    return SetupStep(
        code="passed",
        title="Say what counts as passed",
        is_done=bool(states_results) or organization.passed_as_stated or has_bar(organization),
        state=state,
    )


def setup_steps(organization: Organization) -> list[SetupStep]:
    """Return the steps in order; the set-up is complete when every step is done."""
    organization = Organization.objects.reread(organization.pk)
    active = LeverWebhook.objects.active().filter(organization=organization)
    return [
        _lever_step(organization),
        _codescreen_step(organization),
        _webhook_step(organization, list(active.filter(event=DeliveryEvent.STAGE_CHANGE))),
        _other_integration_step(organization),
        _passed_step(organization),
        _roles_step(organization),
    ]
