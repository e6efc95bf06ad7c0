"""Copies of the platforms' lists: Lever's stages and roles, CodeScreen's assessments; read again when they are old."""

from datetime import datetime, timedelta

from integrations.clients.provider import ClientProvider
from integrations.codescreen.client import CodeScreenClient
from integrations.http.errors import PlatformError
from integrations.lever.client import LeverClient
from integrations.lever.lookups import Posting
from integrations.models import (
    Assessment,
    CodeScreenConnection,
    LeverConnection,
    Organization,
    Role,
    Stage,
    db_clock,
)
from integrations.workflow.rules.assessments import KnownAssessment
from integrations.workflow.rules.naming import is_named

FRESH_FOR = timedelta(minutes=10)
REREAD_AFTER = timedelta(seconds=5)  # a list younger than this isn't read again for a name it lacks


def refresh_stages(organization: Organization, lever: LeverClient) -> None:
    """Read the pipeline's stages again."""
    known_names = dict(Stage.objects.filter(organization=organization).values_list("external_id", "name"))
    entries: dict[str, dict[str, object]] = {}
    for position, stage in enumerate(lever.stages()):
        name = stage.name[:300]
        entries[stage.id] = {"name": name, "position": position}
        former_name = known_names.get(stage.id, name)
        if former_name != name:
            entries[stage.id]["former_name"] = former_name
    Stage.objects.replace_all(organization, entries)
    LeverConnection.objects.filter(organization=organization).update(stages_refreshed_at=db_clock.now())


def _role_columns(posting: Posting) -> dict[str, object]:
    return {"title": posting.title[:300], "state": posting.state[:40], "tags": list(posting.tags)}


def refresh_roles(organization: Organization, lever: LeverClient) -> None:
    """Read the postings again."""
    entries = {posting.id: _role_columns(posting) for posting in lever.postings()}
    Role.objects.replace_all(organization, entries)
    LeverConnection.objects.filter(organization=organization).update(roles_refreshed_at=db_clock.now())


def refresh_assessments(organization: Organization, codescreen: CodeScreenClient) -> None:
    """Read the list of assessments again; CodeScreen accepting the call proves the key."""
    assessments = codescreen.assessments()
    Assessment.objects.replace_all(
        organization, {assessment.id: {"name": assessment.name[:300]} for assessment in assessments}
    )
    now = db_clock.now()
    CodeScreenConnection.objects.filter(organization=organization).update(
        assessments_refreshed_at=now,
        verified_at=now,
        state=CodeScreenConnection.State.CONNECTED,
        state_reason="",
    )


def mark_key_refused(organization: Organization, reason: str) -> None:
    """Record that CodeScreen refused the API key that `organization` was read with: nothing is sent until one works."""
    if organization.codescreen is not None:
        organization.codescreen.mark_refused(reason)


def is_older(moment: datetime | None, age: timedelta) -> bool:
    """Whether a list was read longer ago than that, or never."""
    return moment is None or db_clock.now() - moment > age


def stage_name(organization: Organization, stage_id: str, clients: ClientProvider) -> str:
    """Return a stage's name; the list is read again when it is old or lacks the id."""
    connection = organization.lever_connection
    known = Stage.objects.live().filter(organization=organization, external_id=stage_id).first()
    if is_older(connection.stages_refreshed_at, FRESH_FOR if known else REREAD_AFTER):
        refresh_stages(organization, clients.lever())
        known = Stage.objects.live().filter(organization=organization, external_id=stage_id).first()
    return known.name if known else ""


def stages_named(organization: Organization, written: str, clients: ClientProvider) -> list[Stage]:
    """Return the stages that a person meant by an id or a name; the list is read again when old or without them."""
    connection = organization.lever_connection
    found = stages_named_in_copy(organization, written)
    if is_older(connection.stages_refreshed_at, FRESH_FOR if found else REREAD_AFTER):
        refresh_stages(organization, clients.lever())
        found = stages_named_in_copy(organization, written)
    return found


def stages_named_in_copy(organization: Organization, written: str) -> list[Stage]:
    """Return what the copy of Lever's stages has under that id, else under that name."""
    rows = list(Stage.objects.live().filter(organization=organization).order_by("position", "pk"))
    by_id = [row for row in rows if row.external_id == written.strip()]
    return by_id or [row for row in rows if is_named(written, row.external_id, row.name)]


def role_title(organization: Organization, role_id: str, clients: ClientProvider) -> str:
    """Return a role's title; one posting that isn't known yet is read by itself.

    Empty when the grant doesn't show it (a confidential posting): tags and the default still decide.
    """
    if not role_id:
        return ""
    known = Role.objects.live().filter(organization=organization, external_id=role_id).first()
    if known and not is_older(organization.lever_connection.roles_refreshed_at, FRESH_FOR):
        return str(known.title)
    try:
        if known:
            refresh_roles(organization, clients.lever())
        else:
            posting = clients.lever().posting(role_id)
            if posting.id == role_id:
                Role.objects.update_or_create(
                    organization=organization,
                    external_id=role_id,
                    defaults={**_role_columns(posting), "gone_at": None},
                )
    except PlatformError as error:
        if error.status not in {403, 404}:
            raise
    found = Role.objects.filter(organization=organization, external_id=role_id).first()
    return str(found.title) if found else ""


def live_assessments(organization: Organization) -> tuple[KnownAssessment, ...]:
    """Return the copy of CodeScreen's list."""
    rows = Assessment.objects.live().filter(organization=organization)
    return tuple(KnownAssessment(row.external_id, row.name) for row in rows)
