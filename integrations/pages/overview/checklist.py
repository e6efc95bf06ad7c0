"""The set-up checklist: each step is read from the database, never ticked by hand."""

from collections.abc import Sequence

from integrations.models import Organization, Stage
from integrations.pages.overview import assessment_steps, lever_steps
from integrations.pages.overview.setup_step import SetupStep


def setup_steps(organization: Organization, trigger_stages: Sequence[Stage]) -> list[SetupStep]:
    """Return the steps in order; the set-up is complete when every step is done."""
    organization = Organization.objects.reread(organization.pk)
    return [
        lever_steps.lever_step(organization),
        *lever_steps.webhook_steps(organization),
        assessment_steps.codescreen_step(organization),
        lever_steps.stage_step(organization, trigger_stages),
        assessment_steps.roles_step(organization),
        assessment_steps.candidate_step(organization),
    ]
