"""The addresses of the former lists of invitations, deliveries and effects lead to what shows the same now."""

import pytest
from django.urls import reverse
from django.utils import timezone

from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from integrations.invitations.models.invitation import Invitation
from tests.pages.activity.test_candidate_filters import candidate, invited, shown
from tests.support import factories
from tests.support.page_text import text


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("?show=invitations", "/activity/"),
        ("?show=invitations&status=held", "/activity/?view=held"),
        ("?status=held", "/activity/?view=held"),
        ("?status=uncertain", "/activity/?view=uncertain"),
        ("?status=failed", "/activity/?view=not_sent"),
        ("?status=awaits_decision", "/activity/?view=undecided"),
        ("?status=no_longer_followed&since=2026-11-01", "/activity/?view=no_result&since=2026-11-01"),
        ("?status=in_progress", "/activity/?view=in_progress"),
        ("?status=completed", "/activity/"),
        ("?status=nonsense&q=Alder&role=Chef", "/activity/?role=Chef&q=Alder"),
        ("?show=deliveries", "/activity/"),
        ("?verdict=invite&since=2026-11-01&until=2026-11-09", "/activity/?since=2026-11-01&until=2026-11-09"),
        ("?verdict=no_email", "/activity/?view=not_invited&reason=no_email"),
        ("?verdict=entered_before", "/activity/?view=not_invited&reason=entered_before"),
        ("?verdict=held_for_approval", "/activity/?view=held"),
        ("?verdict=invite", "/activity/"),
        ("?verdict=stuck", "/health/#undecided"),
        ("?show=deliveries&verdict=undecided", "/health/#undecided"),
        ("?show=effects", "/activity/"),
        ("?state=failed", "/candidates/bulk/?act=retry"),
        ("?state=failed&role=Chef", "/activity/?view=attention&role=Chef"),
        ("?state=failed&q=Alder", "/activity/?view=attention&q=Alder"),
        ("?show=effects&state=uncertain", "/activity/?view=attention"),
    ],
)
def test_an_address_of_a_former_list_leads_on(team_member_client, query, page):
    answer = team_member_client.get(f"/activity/{query}")
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert team_member_client.get(page.partition("#")[0]).status_code == 200


def test_who_does_not_see_health_is_led_to_the_candidates(limited_member_client, ready_organization):
    assert limited_member_client.get("/activity/?verdict=stuck")["Location"] == "/activity/"
    assert limited_member_client.get("/activity/?state=failed")["Location"] == "/activity/?view=attention"


def test_the_list_of_candidates_stays_where_it_is(team_member_client):
    assert team_member_client.get("/activity/?show=candidates&status=held").status_code == 200


def test_every_status_and_verdict_has_a_row_that_renders(super_admin_client, organization):
    for status in Invitation.Status:
        candidate(organization, f"Alder {status}", status=status)
    for number, verdict in enumerate(list(Delivery.VerdictCode)):
        candidate(organization, f"Hazel {verdict}", verdict)
        opportunity = factories.DeliveryFactory.create(
            organization=organization,
            opportunity_id=f"o-{number}",
            verdict=verdict,
            explanation=f"Because of {number}.",
            decided_at=timezone.now(),
            due_at=None,
        )
        for url in (reverse("delivery", args=[opportunity.pk]), reverse("candidate", args=[f"o-{number}"])):
            page = text(super_admin_client.get(url))
            assert f"Because of {number}." in page, (verdict, url)
    assert super_admin_client.get("/activity/").status_code == 200


def test_a_malformed_payload_does_not_break_the_pages(super_admin_client, organization):
    row = candidate(organization, "Alder", "no_email")
    Delivery.objects.update(payload={"data": [1]})
    for url in ("/activity/", reverse("delivery", args=[row.delivery_id]), "/activity/o-alder/"):
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
        ("uncertain", "An Admin looks in CodeScreen"),
    ],
)
def test_the_next_step_of_an_invite_verdict_follows_the_invitations_status(
    super_admin_client, organization, status, sentence
):
    row = candidate(organization, "Alder", "invite", status)
    for page in ("/activity/", "/activity/o-alder/?show=technical", f"/deliveries/{row.delivery_id}/"):
        assert sentence in text(super_admin_client.get(page)), page


def test_an_invitation_that_is_no_longer_followed_says_why(super_admin_client, organization):
    reason = "Not started within 56 days. The portal no longer asks CodeScreen about it."
    invitation = invited(organization, "Alder", "invited")
    candidate(organization, "Hazel", "invite", "invited")
    Invitation.objects.filter(pk=invitation.pk).update(
        following_ended="not_started", following_ended_reason=reason, following_ended_at=timezone.now()
    )
    for view in ("attention", "no_result"):
        assert shown(super_admin_client, view=view) == ["Alder"]
    assert reason in text(super_admin_client.get("/activity/"))
    page = text(super_admin_client.get(reverse("candidate", args=["o-alder"])))
    assert "Not started in time" in page
    assert reason in page
    assert "checks CodeScreen again" in next_step("invite", Invitation.objects.get(pk=invitation.pk))
