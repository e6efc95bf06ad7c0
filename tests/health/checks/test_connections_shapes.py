"""Findings on what the platforms send otherwise than documented."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.clients.models import ShapeDeviation
from integrations.http.shapes import Kind
from integrations.organizations.models.organization import Organization
from tests.health.rows import code_and_level, only_finding


def deviate(organization: Organization, found: Kind, **values: object) -> None:
    ShapeDeviation.objects.create(
        organization=organization,
        found=found,
        **{
            "platform": "codescreen",
            "endpoint": "GET /assessments/:id",
            "field": "score",
            "expected": "a whole number",
            "is_readable": False,
            "example": {"status": "a text", "score": found.value},
            **values,
        },
    )


@pytest.mark.parametrize(
    ("found", "values", "sentence"),
    [
        (Kind.TEXT, {}, "CodeScreen has begun to send “score” as a text instead of a whole number"),
        (Kind.NOTHING, {"platform": "lever"}, "Lever has begun to leave out “score”"),
        (
            Kind.OTHER_FORM,
            {"field": "status", "expected": "one of A, B"},
            "CodeScreen has begun to send “status” that isn't one of A, B",
        ),
        (
            Kind.OTHER_SPELLING,
            {"field": "status", "expected": "one of A, B"},
            "CodeScreen has begun to spell “status” differently from one of A, B",
        ),
        (Kind.LIST, {"field": ""}, "CodeScreen has begun to send the whole answer as a list"),
    ],
)
def test_what_a_platform_sends_otherwise_is_found(healthy_organization, found, values, sentence) -> None:
    deviate(healthy_organization, found, **values)
    finding = only_finding(healthy_organization)
    assert (finding.code, finding.level) == ("shape_changed", "warning")
    assert finding.message.startswith(sentence)
    assert "{score: " in finding.message
    assert ", status: a text}" in finding.message


def test_what_the_portal_understands_all_the_same_is_worth_knowing(healthy_organization) -> None:
    deviate(healthy_organization, Kind.NUMBER_IN_TEXT, is_readable=True)
    assert code_and_level(healthy_organization) == ("shape_changed", "info")


def test_a_deviation_goes_away_when_it_is_not_seen_for_days(healthy_organization) -> None:
    deviate(healthy_organization, Kind.TEXT, last_seen_at=timezone.now() - timedelta(days=4))
    assert only_finding(healthy_organization).code == "ok"
