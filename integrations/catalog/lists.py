"""An organization's catalog: its trigger stages and mappings, and the copies of the platforms' lists."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from integrations.catalog.models import Assessment, Role, RoleMapping, Stage
from integrations.clients.provider import ClientProvider
from integrations.codescreen.client import AssessmentList, CodeScreenClient
from integrations.codescreen.models import CodeScreenConnection, mark_after_list
from integrations.core.rules.choose_assessment import AssessmentMatch, choose_assessment
from integrations.core.rules.facts import CandidateSnapshot, Facts, TriggerPolicy
from integrations.core.rules.mappings import Categories, MappingIndex
from integrations.core.rules.names import KnownAssessment, closest_name, is_named
from integrations.http.session import PlatformError
from integrations.lever.client import LeverClient
from integrations.lever.lookups import Posting
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.store import database
from integrations.store.database import rows_of


def mapping_index(organization: Organization) -> MappingIndex:
    """Return the organization's role mappings as they were written, indexed."""
    mappings = rows_of(RoleMapping, "organization_id = %s ORDER BY role, stage, id", organization.pk)
    return MappingIndex(mapping.rule for mapping in mappings)


def trigger_policy(organization: Organization) -> TriggerPolicy:
    """Return which stages send assessments: those with the prefix, and further ones for those whom a mapping names."""
    mappings = RoleMapping.objects.filter(organization=organization).exclude(stage="")
    return TriggerPolicy(organization.stage_prefix, MappingIndex(mapping.rule for mapping in mappings))


def trigger_stages(organization: Organization) -> list[Stage]:
    """Return the stages in Lever that may lead to somebody's invitation, in the pipeline's order.

    First are those that begin with the prefix: they are triggers for everybody.
    """
    policy = trigger_policy(organization)
    live = Stage.objects.live().filter(organization=organization).order_by("position", "pk")
    stages = [stage for stage in live if policy.is_trigger(stage.external_id, stage.name)]
    return sorted(stages, key=lambda stage: not policy.has_prefix(stage.name))


def unknown_target_message(organization: Organization, stage_on_pass: str) -> str:
    """Return a sentence: Lever doesn't have this stage on pass, and which one was probably meant."""
    names = Stage.objects.live().filter(organization=organization).values_list("name", flat=True)
    meant = closest_name(stage_on_pass, names)
    hint = f" Did you mean “{meant}”?" if meant else ""
    return f"Lever has no stage “{stage_on_pass.strip()}”, which the rules name for those who passed.{hint}"


#: An empty list of stages is believed when another one follows after this time.
CONFIRM_EMPTY_AFTER = timedelta(minutes=1)


def refresh_stages(organization: Organization, lever: LeverClient) -> None:
    """Read the pipeline's stages; the former name of a renamed one is kept beside it. Raises PlatformError.

    An empty list is probably a mistake of Lever. While the copy has stages, it is an error and changes nothing, until
    another one follows after CONFIRM_EMPTY_AFTER.
    """
    connection = organization.lever_connection
    known = {stage.external_id: stage for stage in Stage.objects.filter(organization=organization)}
    read_at = database.now()
    stages = lever.stages()
    if not stages and any(stage.gone_at is None for stage in known.values()):
        missing_since = connection.stages_missing_since
        if missing_since is None:
            connection.stages_missing_since = read_at
            connection.save(update_fields=["stages_missing_since"])
        if missing_since is None or read_at - missing_since < CONFIRM_EMPTY_AFTER:
            raise PlatformError("Lever listed no stage at all: it is asked again before that is believed.")
    entries = {
        stage.id: _stage_columns(
            known.get(stage.id), stage.name[:300], position, connection.stages_refreshed_at, read_at
        )
        for position, stage in enumerate(stages)
    }
    Stage.objects.replace_all(organization, entries)
    connection.stages_refreshed_at, connection.stages_missing_since = read_at, None
    connection.save(update_fields=["stages_refreshed_at", "stages_missing_since"])


def _stage_columns(
    known: Stage | None, name: str, position: int, previous_at: datetime | None, read_at: datetime
) -> dict[str, object]:
    """Return the columns of a listed stage; for a new or renamed one also between which times it got its name."""
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
    LeverConnection.objects.filter(organization=organization).update(roles_refreshed_at=database.now())


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
    return {
        "title": posting.title[:300],
        "state": posting.state[:40],
        "tags": list(posting.tags),
        "categories": {category.value: list(values) for category, values in posting.categories.items()},
    }


def refresh_assessments(organization: Organization, codescreen: CodeScreenClient) -> None:
    """Read the list of assessments again; the answer shows whether CodeScreen accepts the key. Raises PlatformError."""
    try:
        listed = codescreen.assessments()
    except PlatformError as error:
        mark_after_list(organization.codescreen, error.status, str(error))
        raise
    store_assessments(organization, listed)


def store_assessments(organization: Organization, listed: AssessmentList) -> None:
    """Store the assessments that CodeScreen listed, which shows that it accepts the stored key."""
    Assessment.objects.replace_all(
        organization, {assessment.id: {"name": assessment.name[:300]} for assessment in listed.assessments}
    )
    now = database.now()
    CodeScreenConnection.objects.filter(organization=organization).update(
        assessments_refreshed_at=now,
        verified_at=now,
        state=CodeScreenConnection.State.CONNECTED,
        state_reason="",
        list_path=listed.path,
    )


# Look up names and ids in the local copies of the platforms' lists.
#
# A function that takes the clients reads the list again when the copy is old, or lacks what is asked for.


FRESH_FOR = timedelta(minutes=10)
#: Stages are few, and a renamed one changes who is invited: only a list this young decides "not a trigger stage".
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
    return refreshed_at is None or database.now() - refreshed_at > max_age


def stage_name(organization: Organization, stage_id: str, clients: ClientProvider) -> str:
    """Return the stage's name, empty when Lever doesn't list the id. Raises PlatformError."""
    name = _live_stage_name(organization, stage_id)
    refreshed_at = organization.lever_connection.stages_refreshed_at
    if needs_refresh(refreshed_at, has_entry=name is not None, fresh_for=STAGES_FRESH_FOR):
        refresh_stages(organization, clients.lever())
        name = _live_stage_name(organization, stage_id)
    return name or ""


def stage_name_in_copy(organization: Organization, stage_id: str) -> str:
    """Return the stage's name by the copy as it is, empty when it doesn't list the id."""
    return _live_stage_name(organization, stage_id) or ""


def _live_stage_name(organization: Organization, stage_id: str) -> str | None:
    is_live = "organization_id = %s AND external_id = %s AND gone_at IS NULL"
    return next((stage.name for stage in rows_of(Stage, is_live, organization.pk, stage_id)), None)


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


class RoleAssessments:
    """What names the assessment of a role's candidates in a stage, without tags of their own.

    Mappings and lists are read once.
    """

    def __init__(self, organization: Organization) -> None:
        self.assessments = live_assessments(organization)
        self._facts = Facts(
            event="",
            stage_prefix=organization.stage_prefix,
            mappings=mapping_index(organization),
            assessments=self.assessments,
            default_assessment=organization.default_assessment,
        )

    def match(self, role: Role, stage_id: str, stage_name: str) -> AssessmentMatch | None:
        """Return what names the assessment of a candidate who enters the stage; None when nothing does."""
        candidate = CandidateSnapshot(
            stage_id=stage_id,
            stage_name=stage_name,
            role_id=role.external_id,
            role_title=role.title,
            categories=role.shown_categories,
            tags=tuple(role.tags),
        )
        facts = replace(self._facts, stage_id=stage_id, stage_name=stage_name)
        return choose_assessment(facts, candidate)


class ShownRole(NamedTuple):
    """What Lever shows of a candidate's role; empty where the grant doesn't show it (a confidential posting)."""

    title: str = ""
    categories: Categories = frozenset()


def shown_role(organization: Organization, role_id: str, clients: ClientProvider) -> ShownRole:
    """Return what Lever shows of the role; only one posting is read when the role isn't known yet.

    Where it shows nothing, tags and the default still name an assessment. Raises PlatformError.
    """
    if not role_id:
        return ShownRole()
    role = _copied_role(organization, role_id)
    known = role is not None and role.gone_at is None
    if role and known and not needs_refresh(organization.lever_connection.roles_refreshed_at, has_entry=True):
        return ShownRole(role.title, role.shown_categories)
    try:
        if known:
            refresh_roles(organization, clients.lever())
        else:
            refresh_role(organization, clients.lever(), role_id)
    except PlatformError as error:
        if error.status not in {403, 404}:
            raise
    role = _copied_role(organization, role_id)
    return ShownRole(role.title, role.shown_categories) if role else ShownRole()


def _copied_role(organization: Organization, role_id: str) -> Role | None:
    is_it = "organization_id = %s AND external_id = %s"
    return next(iter(rows_of(Role, is_it, organization.pk, role_id)), None)


def live_assessments(organization: Organization) -> tuple[KnownAssessment, ...]:
    """Return the assessments that CodeScreen listed when the copy was made."""
    listed = rows_of(Assessment, "organization_id = %s AND gone_at IS NULL ORDER BY name", organization.pk)
    return tuple(KnownAssessment(one.external_id, one.name) for one in listed)
