"""Which of the linter's findings are new since a day ago, and which were fixed."""

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from django.utils import timezone

from integrations.catalog import lists
from integrations.catalog.models.platform_lists import Assessment, Stage
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.vocabulary import AssessmentSource
from integrations.health import linter
from integrations.health.findings import Finding
from integrations.health.linter_history import compare_with_history, record_findings
from integrations.health.models import LinterFinding
from integrations.invitations.models.candidate import Candidate
from integrations.lever.client import LeverClient
from integrations.lever.lookups import PipelineStage
from integrations.lever.models.connection import LeverConnection
from tests.support import factories


@pytest.fixture
def linted(organization):
    """An organization whose lists are read, with one mistake."""
    now = timezone.now()
    factories.LeverConnectionFactory.create(
        organization=organization, stages_refreshed_at=now, roles_refreshed_at=now
    )
    factories.CodeScreenConnectionFactory.create(organization=organization, assessments_refreshed_at=now)
    Assessment.objects.create(organization=organization, external_id="backend", name="Backend")
    Stage.objects.create(organization=organization, external_id="stage-1", name="CodeScreen Assessment")
    RoleMapping.objects.create(organization=organization, role="Chef", assessment="Backend")
    return organization


def age(organization, **since):
    LinterFinding.objects.filter(organization=organization).update(
        first_seen_at=timezone.now() - timedelta(**since)
    )


def test_a_finding_is_new_except_on_the_first_day(linted):
    assert record_findings(linted) == 1
    assert record_findings(linted) == 0
    assert not compare_with_history(linted).new
    age(linted, days=2)
    RoleMapping.objects.create(organization=linted, role="Baker", assessment="Backend")
    found = compare_with_history(linted)
    assert ["Baker" in finding.message for finding in found.new] == [True]
    assert len(found.findings) == 2


def test_a_fixed_finding_is_shown_for_a_day_and_is_new_when_it_comes_back(linted):
    record_findings(linted)
    age(linted, days=2)
    RoleMapping.objects.all().delete()
    record_findings(linted)
    assert ["Chef" in message for message in compare_with_history(linted).fixed] == [True]
    RoleMapping.objects.create(organization=linted, role="Chef", assessment="Backend")
    assert record_findings(linted) == 1
    assert not compare_with_history(linted).fixed


def test_a_renamed_stage_is_found_by_its_former_name(linted):
    lever = cast(LeverClient, SimpleNamespace(stages=lambda: [PipelineStage("stage-1", "Take-home")]))
    RoleMapping.objects.create(
        organization=linted, role="Chef", stage="CodeScreen Assessment", assessment="Backend"
    )
    lists.refresh_stages(linted, lever)
    messages: dict[str, str] = {finding.code: finding.message for finding in linter.findings(linted)}
    assert "and no longer invites" in messages["renamed_stage"]
    assert "It was renamed to “Take-home”" in messages["unknown_stage"]
    lists.refresh_stages(linted, lever)
    assert Stage.objects.get().former_name == "CodeScreen Assessment"
    RoleMapping.objects.filter(stage="CodeScreen Assessment").update(stage="Take-home")
    assert "renamed_stage" not in {finding.code for finding in linter.findings(linted)}


def enters(organization, opportunity_id: str, tag: str, verdict: str = "unknown_assessment") -> None:
    """Let a candidate with this tag enter the stage, and be decided about."""
    delivery = factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id=opportunity_id,
        verdict=verdict,
        assessment_source=AssessmentSource.TAG,
        assessment_written=tag,
        decided_at=timezone.now(),
        due_at=None,
    )
    Candidate.objects.update_or_create(
        organization=organization,
        opportunity_id=opportunity_id,
        defaults={"delivery": delivery},
        create_defaults={"delivery": delivery, "entered_at": timezone.now()},
    )


def test_a_misspelt_tag_on_candidates_is_found_in_their_deliveries(linted):
    for number in range(3):
        enters(linted, f"o-{number % 2}", "Bakend")
    by_code: dict[str, Finding] = {finding.code: finding for finding in linter.findings(linted)}
    finding = by_code["unknown_candidate_tag"]
    assert "“CodeScreen Bakend” on 2 candidates" in finding.message
    assert "Did you mean “Backend”?" in finding.message
    assert finding.level == "info"
    Assessment.objects.create(organization=linted, external_id="bakend", name="Bakend")
    assert "unknown_candidate_tag" not in {finding.code for finding in linter.findings(linted)}


def test_a_misspelt_tag_is_no_finding_once_its_candidates_entered_with_the_corrected_one(linted):
    enters(linted, "o-1", "Bakend")
    enters(linted, "o-2", "Bakend")
    enters(linted, "o-1", "Backend", "invite")
    messages: dict[str, str] = {finding.code: finding.message for finding in linter.findings(linted)}
    assert "on 1 candidate names" in messages["unknown_candidate_tag"]
    enters(linted, "o-2", "Backend", "invite")
    assert "unknown_candidate_tag" not in {finding.code for finding in linter.findings(linted)}


def test_nothing_is_unknown_without_connections(organization):
    assert not LeverConnection.objects.exists()
    assert not CodeScreenConnection.objects.exists()
    assert record_findings(organization) == 0


def test_an_unknown_name_from_a_mapping_is_no_candidate_tag(linted):
    factories.DeliveryFactory.create(
        organization=linted,
        verdict="unknown_assessment",
        explanation="CodeScreen has no assessment “Bakend”, which the tag names.",
        assessment_source=AssessmentSource.MAPPING_FOR_ROLE,
        assessment_written="Bakend",
        decided_at=timezone.now(),
        due_at=None,
    )
    assert "unknown_candidate_tag" not in {finding.code for finding in linter.findings(linted)}
