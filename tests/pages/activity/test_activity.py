"""The rows of the list, and each of them in what other pages show."""

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from integrations.invitations.models.invitation import Invitation
from tests.pages.activity.test_candidate_filters import candidate, invited, shown
from tests.support import factories
from tests.support.page_text import text


def test_every_status_and_verdict_has_a_row_that_renders(super_admin_client, organization):
    for status in Invitation.Status:
        candidate(organization, f"Alder {status}", status=status)
    for number, verdict in enumerate(list(Delivery.VerdictCode)):
        candidate(organization, f"Hazel {verdict}", verdict)
        factories.DeliveryFactory.create(
            organization=organization,
            opportunity_id=f"o-{number}",
            verdict=verdict,
            explanation=f"Because of {number}.",
            decided_at=timezone.now(),
            due_at=None,
        )
        page = text(super_admin_client.get(reverse("candidate", args=[f"o-{number}"])))
        assert f"Because of {number}." in page, verdict
    assert super_admin_client.get("/activity/").status_code == 200


def test_a_malformed_payload_does_not_break_the_pages(super_admin_client, organization):
    candidate(organization, "Alder", "no_email")
    Delivery.objects.update(payload={"data": [1]})
    for url in ("/activity/", "/activity/o-alder/", "/activity/o-alder/?show=technical"):
        assert super_admin_client.get(url).status_code == 200


def test_names_are_escaped(super_admin_client, organization):
    candidate(organization, "<img src=x onerror=alert(1)>", "no_email", opportunity_id="o-1")
    assert "<img src=x" not in text(super_admin_client.get("/activity/"))


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("pending", "The invitation is sent automatically."),
        ("invited", "The candidate has the invitation."),
        ("completed", "The result is in Lever, or being written there."),
        ("uncertain", "An Admin checks in CodeScreen"),
    ],
)
def test_the_next_step_of_an_invite_verdict_follows_the_invitations_status(
    super_admin_client, organization, status, sentence
):
    candidate(organization, "Alder", "invite", status)
    for page in ("/activity/", "/activity/o-alder/?show=technical"):
        assert sentence in text(super_admin_client.get(page)), page


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
