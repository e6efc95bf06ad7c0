"""The page of rating thresholds by assessment."""

from django.urls import reverse

from integrations.catalog.models import RatingThresholds
from tests.support.factories import recorded

URL = "/mappings/ratings/"
VALUES = {"assessment": "Backend", "rating_2_from": "10", "rating_3_from": "20", "rating_4_from": "30"}


def test_an_admin_stores_and_deletes_the_thresholds_of_an_assessment(organization_admin_client, organization):
    organization_admin_client.post(URL, VALUES)
    assert RatingThresholds.objects.get(organization=organization).values == (10, 20, 30)
    page = organization_admin_client.get(URL).content.decode()
    assert "the thresholds of Backend" in page
    organization_admin_client.post(URL, {"assessment": "Backend", "action": "delete"})
    assert not RatingThresholds.objects.exists()
    actions = recorded().order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["change_rating", "delete_rating"]


def test_thresholds_that_dont_rise_are_refused_with_the_reason(organization_admin_client):
    answer = organization_admin_client.post(URL, VALUES | {"rating_2_from": "25"})
    assert "must rise" in answer.content.decode()
    assert not RatingThresholds.objects.exists()


def test_unchanged_thresholds_are_not_recorded(organization_admin_client):
    organization_admin_client.post(URL, VALUES)
    answer = organization_admin_client.post(URL, VALUES, follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert recorded().count() == 1


def test_another_organizations_thresholds_are_neither_shown_nor_deleted(organization_admin_client, stranger):
    theirs = RatingThresholds.objects.create(
        organization=stranger.memberships.get().organization,
        assessment="Secret",
        rating_2_from=1,
        rating_3_from=2,
        rating_4_from=3,
    )
    assert "Secret" not in organization_admin_client.get(URL).content.decode()
    organization_admin_client.post(URL, {"assessment": "Secret", "action": "delete"})
    assert RatingThresholds.objects.get() == theirs


def test_the_mappings_page_links_to_the_ratings(organization_admin_client, team_member_client):
    link = f'<a class="button" href="{reverse("rating-list")}">'
    assert link in organization_admin_client.get("/mappings/").content.decode()
    assert link not in team_member_client.get("/mappings/").content.decode()


def test_the_assessment_is_chosen_from_codescreens_list(organization_admin_client, ready_organization):
    assert '<option value="Backend">Backend</option>' in organization_admin_client.get(URL).content.decode()
    page = organization_admin_client.post(URL, VALUES | {"assessment": "Backnd"}).content.decode()
    assert "CodeScreen has no assessment “Backnd”. Did you mean “Backend”?" in page
    assert not RatingThresholds.objects.exists()
