"""Findings on the feedback template and its author."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Organization
from tests.workflow.health.rows import code_and_level, only_finding, store_probe


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        ({"is_template_gone": True}, "feedback_template_gone", "no longer in Lever"),
        (
            {"missing_fields": ["Result", "Report link"]},
            "feedback_template_incomplete",
            "Result, Report link",
        ),
        ({"is_author_gone": True}, "feedback_author_gone", "has left Lever"),
    ],
)
def test_a_missing_template_field_or_author_is_a_finding_while_the_probe_is_recent(
    healthy_organization: Organization, found: dict[str, object], code: str, words: str
) -> None:
    store_probe(healthy_organization, **found)
    assert code_and_level(healthy_organization) == (
        code,
        "warning",
    )
    assert words in only_finding(healthy_organization).message
    store_probe(healthy_organization, checked_at=timezone.now() - timedelta(days=2), **found)
    assert only_finding(healthy_organization).code == "ok"
