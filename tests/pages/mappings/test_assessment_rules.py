"""The page of the rules by assessment."""

import pytest
from django.urls import reverse

from integrations.catalog.models.role_mapping import AssessmentRules
from tests.support.factories import recorded

URL = "/mappings/assessments/"
VALUES = {"assessment": "Backend", "rating_2_from": "10", "rating_3_from": "20", "rating_4_from": "30"}


def test_an_admin_stores_and_deletes_the_thresholds_of_an_assessment(organization_admin_client, organization):
    organization_admin_client.post(URL, VALUES)
    assert AssessmentRules.objects.get(organization=organization).thresholds == (10, 20, 30)
    page = organization_admin_client.get(URL).content.decode()
    assert "the rules of Backend" in page
    organization_admin_client.post(URL, {"assessment": "Backend", "action": "delete"})
    assert not AssessmentRules.objects.exists()
    actions = recorded().order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["change_assessment_rules", "delete_assessment_rules"]


def test_thresholds_that_dont_rise_are_refused_with_the_reason(organization_admin_client):
    answer = organization_admin_client.post(URL, VALUES | {"rating_2_from": "25"})
    assert "must rise" in answer.content.decode()
    assert not AssessmentRules.objects.exists()


def test_one_rule_is_enough_and_the_last_one_takes_the_row_with_it(organization_admin_client, organization):
    organization_admin_client.post(URL, {"assessment": "Backend", "passing_score": "70"})
    row = AssessmentRules.objects.get(organization=organization)
    assert (row.thresholds, row.passing_score) == (None, 70)
    organization_admin_client.post(URL, {"assessment": "Backend", "shown": "Backend"})
    assert not AssessmentRules.objects.exists()


def test_a_form_that_did_not_show_a_rule_does_not_remove_it(organization_admin_client, organization):
    organization_admin_client.post(URL, VALUES)
    answer = organization_admin_client.post(URL, {"assessment": "Backend", "passing_score": "70"})
    assert "“Backend” has rules of its own. Press “Change”" in answer.content.decode()
    assert AssessmentRules.objects.get(organization=organization).thresholds == (10, 20, 30)
    page = organization_admin_client.get(f"{URL}?assessment=Backend")
    shown = {name: value for name, value in page.context["form"].initial.items() if value is not None}
    organization_admin_client.post(URL, shown | {"passing_score": "70"})
    row = AssessmentRules.objects.get(organization=organization)
    assert (row.thresholds, row.passing_score) == ((10, 20, 30), 70)


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"passing_score": "101"}, "less than or equal to 100"),
        ({"rating_2_from": "10"}, "Give all three, or none."),
    ],
)
def test_a_rule_that_cannot_hold_is_refused_with_the_reason(organization_admin_client, rule, reason):
    answer = organization_admin_client.post(URL, {"assessment": "Backend", **rule})
    assert reason in answer.content.decode()
    assert not AssessmentRules.objects.exists()


def test_unchanged_thresholds_are_not_recorded(organization_admin_client):
    organization_admin_client.post(URL, VALUES)
    answer = organization_admin_client.post(URL, VALUES, follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert recorded().count() == 1


def test_another_organizations_thresholds_are_neither_shown_nor_deleted(organization_admin_client, stranger):
    theirs = AssessmentRules.objects.create(
        organization=stranger.memberships.get().organization,
        assessment="Secret",
        rating_2_from=1,
        rating_3_from=2,
        rating_4_from=3,
    )
    assert "Secret" not in organization_admin_client.get(URL).content.decode()
    organization_admin_client.post(URL, {"assessment": "Secret", "action": "delete"})
    assert AssessmentRules.objects.get() == theirs


def test_the_rules_of_results_link_to_those_by_assessment(organization_admin_client):
    page = organization_admin_client.get(reverse("result-rules")).content.decode()
    assert f'href="{reverse("assessment-rules")}"' in page


def test_the_assessment_is_chosen_from_codescreens_list(organization_admin_client, ready_organization):
    assert '<option value="Backend">Backend</option>' in organization_admin_client.get(URL).content.decode()
    page = organization_admin_client.post(URL, VALUES | {"assessment": "Backnd"}).content.decode()
    assert "CodeScreen has no assessment “Backnd”. Did you mean “Backend”?" in page
    assert not AssessmentRules.objects.exists()
