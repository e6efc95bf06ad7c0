"""The rows of the list, and each of them in what other pages show."""

from django.urls import reverse
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from integrations.invitations.models.invitation import Invitation
from tests.pages.activity.test_candidate_filters import candidate, invited, shown
from tests.support.page_text import text


def test_a_malformed_payload_does_not_break_the_pages(super_admin_client, organization):
    candidate(organization, "Alder", "no_email")
    Delivery.objects.update(payload={"data": [1]})
    for url in ("/activity/", "/activity/o-alder/", "/activity/o-alder/?show=technical"):
        assert super_admin_client.get(url).status_code == 200


def test_an_invitation_that_is_no_longer_followed_says_why(super_admin_client, organization):
    reason = "Not started within 56 days. The portal no longer asks CodeScreen about it."
    invitation = invited(organization, "Alder", "invited")
    candidate(organization, "Hazel", "invite", "invited")
    Invitation.objects.filter(pk=invitation.pk).update(
        following_ended="not_started", following_ended_reason=reason, following_ended_at=timezone.now()
    )
    assert shown(super_admin_client, view="attention") == ["Alder"]
    assert reason in text(super_admin_client.get("/activity/"))
    page = text(super_admin_client.get(reverse("candidate", args=["o-alder"])))
    assert "Not started in time" in page
    assert reason in page
    assert "asks CodeScreen again" in next_step("invite", Invitation.objects.get(pk=invitation.pk))
