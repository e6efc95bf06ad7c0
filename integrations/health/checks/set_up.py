"""Whether the set-up is complete: rules, people, secrets that can be read, and what a restored backup leaves to do."""

from collections.abc import Iterator

from django.db import models

from integrations.api.models import ApiToken
from integrations.catalog.lists import stages_named_in_copy, trigger_policy, unknown_target_message
from integrations.catalog.models import Role, RoleMapping, Stage
from integrations.core.finding_code import FindingCode
from integrations.core.rules.names import assessment_tags
from integrations.core.verdict_code import VerdictCode
from integrations.health.findings import (
    Finding,
    counted,
    finding,
    listed,
)
from integrations.invitations.models.candidate import Candidate
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import RULES
from integrations.store.encryption import EncryptedTextField, UnreadableSecret, encrypted_fields


def check_trigger_stages(organization: Organization) -> Iterator[Finding]:
    """Yield that none of Lever's stages is a trigger stage."""
    stages = list(Stage.objects.live().filter(organization=organization))
    policy = trigger_policy(organization)
    if stages and not any(policy.is_trigger(stage.external_id, stage.name) for stage in stages):
        yield finding(
            FindingCode.NO_TRIGGER_STAGE,
            f"No stage in Lever begins with “{policy.prefix}”, and no mapping has a stage. So nobody can be invited.",
            f"In Lever, add a stage such as “{policy.prefix} Assessment” to the pipeline.",
        )


def check_stage_on_pass(organization: Organization) -> Iterator[Finding]:
    """Yield that candidates who passed can't be moved: to a stage that isn't in Lever."""
    connection = organization.lever
    if connection is None or connection.stages_refreshed_at is None:
        return
    own = RoleMapping.objects.filter(organization=organization).exclude(stage_on_pass="").order_by("-pk")
    places = {mapping.stage_on_pass: f"in the mapping for “{mapping.subject}”" for mapping in own} | {
        organization.stage_on_pass: "under Roles and rules › Rules"
    }
    for written, where in places.items():
        if written.strip() and not stages_named_in_copy(organization, written):
            message = f"{unknown_target_message(organization, written)} Nobody is moved."
            fix = f"Choose the stage at “{RULES['stage_on_pass'].verbose_name}” again {where}, then retry what failed."
            yield finding(FindingCode.UNKNOWN_STAGE_ON_PASS, message, fix)


def check_roles(organization: Organization) -> Iterator[Finding]:
    """Yield that no mapping, tag or default names an assessment for any role."""
    has_mappings = RoleMapping.objects.filter(organization=organization).exists()
    if has_mappings or organization.default_assessment.strip():
        return
    roles = Role.objects.live().filter(organization=organization).values_list("tags", "title")
    if not any(assessment_tags(map(str, tags), title) for tags, title in roles.iterator()):
        yield finding(
            FindingCode.NO_ROLES_MAPPED,
            "No role has an assessment: there is no mapping, no “CodeScreen …” tag and no default.",
            "Choose an assessment for each role.",
        )


def check_secrets(organization: Organization) -> Iterator[Finding]:
    """Yield which secrets no key in FIELD_ENCRYPTION_KEYS opens where they are."""
    unreadable = [
        f"{column.verbose_name} of {row._meta.verbose_name} “{row}”"
        for row in _rows(organization)
        for column in _unreadable_columns(row)
    ]
    if not unreadable:
        return
    yield finding(
        FindingCode.UNREADABLE_SECRET,
        f"Stored secrets can't be read: {listed(unreadable)}. No key in FIELD_ENCRYPTION_KEYS opens them. "
        "The key is missing, or the value was moved in the database. What needs them waits. Webhooks that they "
        "would verify are answered 503, so their senders try again later.",
        "Ask the portal's operator to put the earlier encryption key back into FIELD_ENCRYPTION_KEYS, after the new "
        "one. If it is lost, or none is missing, a Super Admin enters the secrets again under Settings. For Lever's "
        "tokens, connect Lever again.",
    )


def check_api_tokens(organization: Organization) -> Iterator[Finding]:
    """Yield which tokens of programs were made by somebody who has no access any more."""
    tokens = ApiToken.objects.of_former_members(organization).select_related("made_by")
    if names := listed(f"“{token}” by {token.maker}" for token in tokens):
        yield finding(
            FindingCode.FORMER_MEMBERS_TOKEN,
            f"Programs read with tokens whose makers have no access any more: {names}.",
            "A Super Admin revokes them. Where the program is still wanted, make it another token first.",
        )


def _rows(organization: Organization) -> Iterator[models.Model]:
    """Yield the organization, and its rows of every other model that has an encrypted column."""
    yield organization
    for model in dict.fromkeys(column.model for column in encrypted_fields()):
        if any(field.related_model is Organization for field in model._meta.concrete_fields):
            yield from model._base_manager.filter(organization=organization).select_related("organization")


def _unreadable_columns(row: models.Model) -> list[EncryptedTextField]:
    """Return the columns that can't be read, without those of tokens that verify nothing any more."""
    columns = [column for column in row._meta.concrete_fields if isinstance(column, EncryptedTextField)]
    if isinstance(row, LeverWebhook):
        active = row.unreadable_tokens if row.retired_at is None else []
        return [column for column in columns if column.name in active]
    return [column for column in columns if isinstance(column.value_from_object(row), UnreadableSecret)]


def check_possibly_invited(organization: Organization) -> Iterator[Finding]:
    """Yield how many may be invited already and wait for a person, if some of them entered a stage since connecting.

    Those who were there before alone are offered as part of setting up.
    """
    connection = organization.lever
    if connection is None or connection.first_connected_at is None:
        return
    # some have an earlier invitation
    verdict = VerdictCode.ENTERED_BEFORE
    offered = Candidate.objects.filter(organization=organization, delivery__verdict=verdict)
    if not offered.filter(entered_at__gte=connection.first_connected_at).exists():
        return
    unreported = (
        ""
        if organization.rows_lost_until
        else " If the database was restored, run `manage.py restored` first."
    )
    yield finding(
        FindingCode.POSSIBLY_INVITED,
        f"{counted(offered.count(), 'candidate')} may be invited already. The portal has no record of it. Lever shows "
        "a progress tag or an early move into the stage, or rows are lost by a restore.",
        f"Look for them in CodeScreen. An Admin then invites those who aren't, under Candidates.{unreported}",
    )
