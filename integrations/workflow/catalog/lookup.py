"""Look up names and ids in the local copies of the platforms' lists.

A function that takes the clients reads the list again when the copy is old, or lacks what is asked for.
"""

from datetime import datetime, timedelta

from integrations.clients.provider import ClientProvider
from integrations.http.errors import PlatformError
from integrations.models import Organization, Role, Stage, db_clock, step_questions
from integrations.models.step_questions import live_role_title, live_stage_name
from integrations.workflow.catalog.sync import refresh_role, refresh_roles, refresh_stages
from integrations.workflow.rules.assessments import KnownAssessment
from integrations.workflow.rules.naming import is_named

FRESH_FOR = timedelta(minutes=10)
#: Stages are few, and a renamed one changes who is invited: "not a trigger stage" is said by a list this young only.
STAGES_FRESH_FOR = timedelta(minutes=1)
REREAD_AFTER = timedelta(seconds=5)  # a list younger than this isn't read again for an entry it lacks
OPEN_ROLE_STATES = frozenset(
    {"published", "internal"}
)  # Lever's words for a posting that people can apply for


def needs_refresh(
    refreshed_at: datetime | None, *, has_entry: bool, fresh_for: timedelta = FRESH_FOR
) -> bool:
    """Whether to read a list again that was read at `refreshed_at` and has, or lacks, the entry asked for."""
    max_age = fresh_for if has_entry else REREAD_AFTER
    return refreshed_at is None or db_clock.now() - refreshed_at > max_age


def stage_name(organization: Organization, stage_id: str, clients: ClientProvider) -> str:
    """Return the stage's name, empty when Lever doesn't list the id. Raises PlatformError."""
    name = live_stage_name(organization.pk, stage_id)
    refreshed_at = organization.lever_connection.stages_refreshed_at
    if needs_refresh(refreshed_at, has_entry=name is not None, fresh_for=STAGES_FRESH_FOR):
        refresh_stages(organization, clients.lever())
        name = live_stage_name(organization.pk, stage_id)
    return name or ""


def stage_name_in_copy(organization: Organization, stage_id: str) -> str:
    """Return the stage's name by the copy as it is, empty when it doesn't list the id."""
    return live_stage_name(organization.pk, stage_id) or ""


def stages_named(organization: Organization, written: str, clients: ClientProvider) -> list[Stage]:
    """Return the stages that a person meant by an id or a name. Raises PlatformError."""
    stages = stages_named_in_copy(organization, written)
    if needs_refresh(organization.lever_connection.stages_refreshed_at, has_entry=bool(stages)):
        refresh_stages(organization, clients.lever())
        stages = stages_named_in_copy(organization, written)
    return stages


def stages_named_in_copy(organization: Organization, written: str) -> list[Stage]:
    """Return the stages in the copy that have this id, else those that have this name."""
    stages = list(Stage.objects.live().filter(organization=organization).order_by("position", "pk"))
    with_id = [stage for stage in stages if stage.external_id == written.strip()]
    return with_id or [stage for stage in stages if is_named(written, stage.external_id, stage.name)]


def role_title(organization: Organization, role_id: str, clients: ClientProvider) -> str:
    """Return the role's title; only one posting is read when the role isn't known yet.

    Empty when the grant doesn't show the role (a confidential posting): tags and the default still name an assessment.
    Raises PlatformError.
    """
    if not role_id:
        return ""
    title = live_role_title(organization.pk, role_id)
    is_known = title is not None
    if is_known and not needs_refresh(organization.lever_connection.roles_refreshed_at, has_entry=True):
        return title or ""
    try:
        if is_known:
            refresh_roles(organization, clients.lever())
        else:
            refresh_role(organization, clients.lever(), role_id)
    except PlatformError as error:
        if error.status not in {403, 404}:
            raise
    role = Role.objects.filter(organization=organization, external_id=role_id).first()
    return role.title if role else ""


def live_assessments(organization: Organization) -> tuple[KnownAssessment, ...]:
    """Return the assessments that CodeScreen listed when the copy was made."""
    return tuple(KnownAssessment(*row) for row in step_questions.live_assessments(organization.pk))
