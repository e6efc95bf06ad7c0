"""Read the platforms' lists into the local copies: Lever's stages and roles, CodeScreen's assessments."""

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


def refresh_stages(organization: Organization, lever: LeverClient) -> None:
    """Read the pipeline's stages; a renamed one keeps its former name. Raises PlatformError."""
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


def refresh_roles(organization: Organization, lever: LeverClient) -> None:
    """Read all postings. Raises PlatformError."""
    entries = {posting.id: _role_columns(posting) for posting in lever.postings()}
    Role.objects.replace_all(organization, entries)
    LeverConnection.objects.filter(organization=organization).update(roles_refreshed_at=db_clock.now())


def refresh_role(organization: Organization, lever: LeverClient, role_id: str) -> None:
    """Read one posting. Raises PlatformError, with status 403 or 404 when the grant doesn't show it."""
    posting = lever.posting(role_id)
    if posting.id == role_id:
        Role.objects.update_or_create(
            organization=organization,
            external_id=role_id,
            defaults={**_role_columns(posting), "gone_at": None},
        )


def _role_columns(posting: Posting) -> dict[str, object]:
    return {"title": posting.title[:300], "state": posting.state[:40], "tags": list(posting.tags)}


def refresh_assessments(organization: Organization, codescreen: CodeScreenClient) -> None:
    """Read the list of assessments again; the answer shows whether CodeScreen accepts the key. Raises PlatformError."""
    try:
        assessments = list(codescreen.assessments())
    except PlatformError as error:
        if error.status == 401:
            mark_key_refused(organization, str(error))
        raise
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
