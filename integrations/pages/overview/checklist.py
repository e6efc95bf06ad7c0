"""The set-up checklist: each step is read from the database, never ticked by hand."""

from integrations.models import Organization
from integrations.pages.overview import assessment_steps, lever_steps
from integrations.pages.overview.setup_step import SetupStep


def setup_steps(organization: Organization) -> list[SetupStep]:
    """Return the steps in order; the set-up is complete when every step is done."""
    return [
        lever_steps.lever_step(organization),
        *lever_steps.webhook_steps(organization),
        assessment_steps.codescreen_step(organization),
        lever_steps.stage_step(organization),
        assessment_steps.roles_step(organization),
        assessment_steps.candidate_step(organization),
    ]
