"""The checklist's steps from the API key to the first invitation."""

from django.urls import reverse

from integrations.models import Delivery, Invitation, Organization, Role, RoleMapping
from integrations.models.verdict import next_step
from integrations.pages.mappings import pick_list
from integrations.pages.mappings.pick_list import PickList
from integrations.pages.overview.lever_steps import TURN_ON
from integrations.pages.overview.setup_step import SetupStep
from integrations.workflow.rules.tags import assessment_tags

MAX_ROLES = 2000
MOST_NAMED = 3  # roles that a step names before it only counts the rest


def codescreen_step(organization: Organization) -> SetupStep:
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


def roles_step(organization: Organization) -> SetupStep:
    """Return the step that gives roles their assessments: by mapping, by tag, or by default."""
    mappings = RoleMapping.objects.filter(organization=organization).order_by("role")
    mapped = list(dict.fromkeys(mappings.values_list("role", flat=True)[:MAX_ROLES]))
    roles = Role.objects.live().filter(organization=organization).order_by("title", "pk")
    tagged = [
        title
        for tags, title in roles.values_list("tags", "title")[:MAX_ROLES]
        if assessment_tags(tags, title)
    ]
    sources = []
    if mapped:
        sources.append(f"Mapped here: {_named(mapped)}.")
    if tagged:
        sources.append(f"Tagged in Lever: {_named(tagged)}.")
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


def _named(roles: list[str]) -> str:
    """Return the first few roles by name, and how many more there are."""
    names = ", ".join(f"“{role}”" for role in roles[:MOST_NAMED])
    return f"{names} and {len(roles) - MOST_NAMED} more" if len(roles) > MOST_NAMED else names


def _choices(known: PickList) -> tuple[tuple[str, str], ...]:
    """Return what a list of the checklist offers; nothing where the list is too long, or isn't known yet."""
    return tuple(known.choices("", "Choose…")) if known.is_select else ()


def candidate_step(organization: Organization) -> SetupStep:
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
            "Within seconds CodeScreen sends the invitation, and Lever shows the tag “CodeScreen: Candidate Invited”.",
            f"Nothing happens? {TURN_ON}",
        ),
        url=f"{reverse('activity')}?show=deliveries",
        action="See what arrived",
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
