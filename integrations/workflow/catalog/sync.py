"""Read the platforms' lists into the local copies: Lever's stages and roles, CodeScreen's assessments."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.payloads import ListedAssessment
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

#: An empty list of stages is believed when another one follows after this time.
CONFIRM_EMPTY_AFTER = timedelta(minutes=1)


def refresh_stages(organization: Organization, lever: LeverClient) -> None:
    """Read the pipeline's stages; a renamed one keeps its former name. Raises PlatformError.

    An account without stages doesn't exist: the first empty answer is an error, and the copy stays as it is.
    """
    connection = organization.lever_connection
    known = {stage.external_id: stage for stage in Stage.objects.filter(organization=organization)}
    read_at = db_clock.now()
    stages = lever.stages()
    if not stages and any(stage.gone_at is None for stage in known.values()):
        _confirm_empty(connection, read_at)
    entries = {
        stage.id: _stage_columns(
            known.get(stage.id), stage.name[:300], position, connection.stages_refreshed_at, read_at
        )
        for position, stage in enumerate(stages)
    }
    Stage.objects.replace_all(organization, entries)
    connection.stages_refreshed_at, connection.stages_missing_since = read_at, None
    connection.save(update_fields=["stages_refreshed_at", "stages_missing_since"])


def _confirm_empty(connection: LeverConnection, read_at: datetime) -> None:
    """Return if Lever said so before and long enough ago. Raises PlatformError when it has to say so again."""
    missing_since = connection.stages_missing_since
    if missing_since is None:
        connection.stages_missing_since = read_at
        connection.save(update_fields=["stages_missing_since"])
    if missing_since is None or read_at - missing_since < CONFIRM_EMPTY_AFTER:
        raise PlatformError("Lever listed no stage at all: it is asked again before that is believed.")


def _stage_columns(
    known: Stage | None, name: str, position: int, previous_at: datetime | None, read_at: datetime
) -> dict[str, object]:
    """Return the columns of a listed stage: when it got its name too, if it has another than in the last list."""
    columns: dict[str, object] = {"name": name, "position": position}
    if known is not None and known.name != name:
        columns["former_name"] = known.name
    if known is None or known.name != name or known.gone_at is not None:
        columns |= {
            "named_after": known.gone_at if known and known.gone_at else previous_at,
            "named_before": read_at,
        }
    return columns


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
        assessments = codescreen.assessments()
    except PlatformError as error:
        if error.status == 401:
            mark_key_refused(organization, str(error))
        raise
    store_assessments(organization, assessments)


def store_assessments(organization: Organization, assessments: Iterable[ListedAssessment]) -> None:
    """Store the assessments that CodeScreen listed, which shows that it accepts the stored key."""
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
