"""Rate a result from its score, never against what CodeScreen states."""

import pytest

from integrations.catalog.models.platform_lists import Assessment
from integrations.catalog.models.role_mapping import AssessmentRules
from integrations.codescreen.payloads import Progress
from integrations.organizations.models.organization import Organization
from integrations.results.recording import rate, rating_of
from tests.support import factories

QUARTERS = (25, 50, 75)


@pytest.mark.parametrize(
    ("score", "expected"), [(0, 1), (24, 1), (25, 2), (49, 2), (50, 3), (74, 3), (75, 4), (100, 4)]
)
@pytest.mark.parametrize("outcome", ["", "Expired"])
def test_the_rating_follows_the_score_when_neither_passed_nor_failed_is_stated(score, expected, outcome):
    assert rate(Progress("Complete", score=score, outcome=outcome), QUARTERS, follows_result=True) == expected


@pytest.mark.parametrize(
    ("outcome", "score", "expected"),
    [
        ("Failed", 99, 2),
        ("Failed", 40, 2),
        ("Failed", 0, 1),
        ("Passed", 40, 3),
        ("Passed", 0, 3),
        ("Passed", 60, 3),
        ("Passed", 80, 4),
    ],
)
def test_the_rating_never_contradicts_a_stated_result(outcome, score, expected):
    progress = Progress("Complete", score=score, outcome=outcome)
    assert rate(progress, QUARTERS, follows_result=True) == expected


@pytest.mark.parametrize(("outcome", "score", "expected"), [("Failed", 99, 4), ("Passed", 0, 1)])
def test_the_rating_is_the_scores_alone_when_the_policy_is_off(outcome, score, expected):
    progress = Progress("Complete", score=score, outcome=outcome)
    assert rate(progress, QUARTERS, follows_result=False) == expected


@pytest.mark.parametrize("follows_result", [True, False])
@pytest.mark.parametrize(
    "progress",
    [
        Progress("Complete", outcome="Expired"),
        Progress("Complete", outcome="Failed", failure_reason="Build Failure"),
        Progress("Complete", outcome="Failed", failure_reason="Build Timeout"),
        Progress("Complete", outcome="Passed"),
        Progress("Complete"),
    ],
)
def test_there_is_no_rating_when_codescreen_states_no_score(progress, follows_result):
    assert rate(progress, QUARTERS, follows_result=follows_result) is None


def test_the_rating_uses_the_given_thresholds():
    ratings = [
        rate(Progress("Complete", score=score), (10, 90, 100), follows_result=True)
        for score in (9, 10, 90, 99, 100)
    ]
    assert ratings == [1, 2, 3, 3, 4]


def store_thresholds(organization: Organization, assessment: str, *values: int) -> None:
    second, third, fourth = values
    AssessmentRules.objects.create(
        organization=organization,
        assessment=assessment,
        rating_2_from=second,
        rating_3_from=third,
        rating_4_from=fourth,
    )


def result(score: int, outcome: str = "") -> Progress:
    return Progress.from_api({"status": "Complete", "score": score, "metadata": {"result": outcome}})


@pytest.mark.parametrize("written", ["Backend", " backend ", "assessment-backend"])
def test_an_assessment_with_its_own_thresholds_is_rated_by_them(organization, written):
    store_thresholds(organization, written, 80, 90, 95)
    store_thresholds(organization, "Frontend", 1, 2, 3)
    invitation = factories.InvitationFactory.create(organization=organization)
    assert rating_of(result(85), invitation) == 2
    another = factories.InvitationFactory.create(
        organization=organization, assessment_id="data", assessment_name="Data"
    )
    assert rating_of(result(85), another) == 4


def test_thresholds_by_id_win_over_those_by_name(organization):
    store_thresholds(organization, "Backend", 80, 90, 95)
    store_thresholds(organization, "assessment-backend", 1, 2, 3)
    invitation = factories.InvitationFactory.create(organization=organization)
    assert rating_of(result(85), invitation) == 4


def test_thresholds_follow_the_present_name_of_a_renamed_assessment(organization):
    store_thresholds(organization, "Backend 2", 80, 90, 95)
    Assessment.objects.create(organization=organization, external_id="assessment-backend", name="Backend 2")
    invitation = factories.InvitationFactory.create(organization=organization)
    assert rating_of(result(85), invitation) == 2


def test_an_assessments_own_thresholds_dont_contradict_a_stated_result(organization):
    store_thresholds(organization, "Backend", 80, 90, 95)
    invitation = factories.InvitationFactory.create(organization=organization)
    assert rating_of(result(99, "Failed"), invitation) == 2
    organization.rating_follows_result = False
    assert rating_of(result(99, "Failed"), invitation) == 4
