"""Findings on an organization's mappings and tags: names that mean nothing, names that mean too much, idle roles.

A name is only called unknown once the platform's list has been read.
"""

from itertools import islice

from integrations.models import Organization
from integrations.workflow.health import (
    linter_candidate_tags,
    linter_duplicates,
    linter_names,
    linter_roles,
)
from integrations.workflow.health.findings import Finding
from integrations.workflow.health.linter_snapshot import LinterSnapshot

MOST_PER_CHECK = 50  # for a person to read; a longer list is one mistake made many times

CHECKS = (
    linter_names.unknown_assessments,
    linter_roles.ambiguous_assessments,
    linter_names.unknown_roles,
    linter_names.unknown_stages,
    linter_names.renamed_stages,
    linter_candidate_tags.unknown_candidate_tags,
    linter_candidate_tags.candidate_tags_not_on_role,
    linter_duplicates.same_named_assessments,
    linter_duplicates.repeated_mappings,
    linter_duplicates.shared_titles,
    linter_roles.roles_without_assessment,
)


def findings(organization: Organization) -> list[Finding]:
    """Return what is wrong with the organization's mappings and tags, empty when nothing is."""
    snapshot = LinterSnapshot(organization)
    return [finding for check in CHECKS for finding in islice(check(snapshot), MOST_PER_CHECK)]
