"""What is wrong with the feedback template in Lever, and with the author of feedback."""

from collections.abc import Iterator

from integrations.models import Organization
from integrations.workflow.health.checks.addresses import AUTHOR, LEVER_SETTINGS, SETTINGS
from integrations.workflow.health.findings import Finding, FindingCode, Level
from integrations.workflow.health.lever_probe import latest_probe
from integrations.workflow.health.wording import listed


def check_chosen_author(organization: Organization) -> Iterator[Finding]:
    """Yield that the chosen author of feedback has left Lever."""
    if organization.feedback_author and organization.feedback_author_gone:
        name = organization.feedback_author_name or organization.feedback_author
        yield Finding(
            organization.slug,
            FindingCode.FEEDBACK_AUTHOR_GONE,
            Level.WARNING,
            f"{name}, the chosen author of feedback, has left Lever. The person who connected Lever is shown instead.",
            "Choose another author under Settings.",
            AUTHOR,
        )


def check_feedback(organization: Organization) -> Iterator[Finding]:
    """Yield what the latest probe found of the feedback template and its author."""
    probe = latest_probe(organization)
    connection = organization.lever
    if probe is None or connection is None or not connection.is_working:
        return
    if probe.is_template_gone:
        yield Finding(
            organization.slug,
            FindingCode.FEEDBACK_TEMPLATE_GONE,
            Level.WARNING,
            "The feedback form “CodeScreen assessment” is no longer in Lever.",
            "Nothing to do. The portal makes it again before the next result. Please keep it in Lever from then on.",
            SETTINGS,
        )
    elif probe.missing_fields:
        yield Finding(
            organization.slug,
            FindingCode.FEEDBACK_TEMPLATE_INCOMPLETE,
            Level.WARNING,
            f"The feedback form in Lever lacks {listed(probe.missing_fields)}, so results are written without it.",
            "In Lever's feedback forms, add the fields with exactly these names. Or delete the form there, and the "
            "portal makes a complete one.",
            SETTINGS,
        )
    if probe.is_author_gone:
        yield Finding(
            organization.slug,
            FindingCode.FEEDBACK_AUTHOR_GONE,
            Level.WARNING,
            "The Lever user who is shown as the author of feedback has left Lever.",
            "Ask another Super Admin to connect Lever again under Settings. They become the author.",
            LEVER_SETTINGS,
        )
