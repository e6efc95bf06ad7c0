"""The names that pick-lists suggest: live roles, stages and assessments."""

from integrations.models import Assessment, Organization, Role, Stage

MAX_SUGGESTIONS = 1000


def role_titles(organization: Organization) -> list[str]:
    """Return the titles of the live roles, each once, in alphabetical order."""
    roles = Role.objects.live().filter(organization=organization).order_by("title")
    return list(dict.fromkeys(roles.values_list("title", flat=True)[:MAX_SUGGESTIONS]))


def stage_names(organization: Organization) -> list[str]:
    """Return the names of the live stages, each once, in the pipeline's order."""
    stages = Stage.objects.live().filter(organization=organization).order_by("position")
    return list(dict.fromkeys(stages.values_list("name", flat=True)[:MAX_SUGGESTIONS]))


def assessment_names(organization: Organization) -> list[str]:
    """Return the names of the live assessments."""
    assessments = Assessment.objects.live().filter(organization=organization)
    return list(assessments.values_list("name", flat=True)[:MAX_SUGGESTIONS])


def suggestions(organization: Organization) -> dict[str, list[str]]:
    """Return the template context of partials/suggestions.html."""
    return {
        "known_roles": role_titles(organization),
        "known_stages": stage_names(organization),
        "known_assessments": assessment_names(organization),
    }
