"""The activity lists with their filters and actions."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from integrations.audit.models.entry import AuditEntry
from integrations.catalog.models import Stage
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models import Effect
from tests.support import factories
from tests.support.page_text import text

ACTIVITY = "/activity/?show=invitations"


def decided(organization, verdict="no_assessment", **columns):
    return factories.DeliveryFactory.create(
        organization=organization,
        verdict=verdict,
        explanation=columns.pop("explanation", "No mapping names an assessment."),
        decided_at=timezone.now(),
        due_at=None,
        **columns,
    )


def test_invitations_show_status_role_assessment_and_the_verdict(super_admin_client, organization):
    invitation = factories.InvitationFactory.create(
        organization=organization, role_title="Chef", status="held"
    )
    decided(organization, "held_for_approval", explanation="It waits for a yes.", invitation=invitation)
    page = text(super_admin_client.get(ACTIVITY))
    for word in ("Candidate Alder", "On hold", "Chef", "Backend", "It waits for a yes."):
        assert word in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"status": "held"}, ["o-held"]),
        ({"status": "nonsense"}, ["o-invited", "o-held"]),
        ({"q": "chef"}, ["o-held"]),
        ({"q": "o-invited"}, ["o-invited"]),
        ({"q": "nothing like it"}, []),
    ],
)
def test_invitations_are_filtered_by_the_address(super_admin_client, organization, query, shown):
    old, new = timezone.now() - timedelta(hours=1), timezone.now()
    factories.InvitationFactory.create(
        organization=organization, opportunity_id="o-held", status="held", role_title="Chef", created_at=old
    )
    factories.InvitationFactory.create(
        organization=organization,
        opportunity_id="o-invited",
        status="invited",
        instance_id="i",
        created_at=new,
    )
    page = super_admin_client.get("/activity/", {"show": "invitations"} | query).context["page"]
    assert [row.opportunity_id for row in page] == shown


def test_a_verdict_in_the_address_shows_deliveries(super_admin_client, organization):
    decided(organization, "no_assessment")
    decided(organization, "test_request")
    waiting = factories.DeliveryFactory.create(organization=organization)
    assert [
        row.verdict for row in super_admin_client.get(ACTIVITY, {"verdict": "no_assessment"}).context["page"]
    ] == ["no_assessment"]
    assert [row.pk for row in super_admin_client.get(ACTIVITY, {"verdict": "undecided"}).context["page"]] == [
        waiting.pk
    ]


def test_a_delivery_shows_the_name_of_its_stage(super_admin_client, organization):
    Stage.objects.create(organization=organization, external_id="stage-codescreen", name="CodeScreen Home")
    decided(organization)
    assert "into “CodeScreen Home”" in text(super_admin_client.get(ACTIVITY, {"show": "deliveries"}))


def test_a_malformed_payload_does_not_break_the_pages(super_admin_client, organization):
    delivery = decided(organization, payload={"data": [1]})
    assert super_admin_client.get(ACTIVITY, {"show": "deliveries"}).status_code == 200
    assert super_admin_client.get(reverse("delivery", args=[delivery.pk])).status_code == 200


@pytest.mark.parametrize("show", ["invitations", "deliveries", "effects"])
def test_fifty_at_a_time_with_a_bounded_number_of_queries(
    super_admin_client, organization, show, django_assert_max_num_queries
):
    for number in range(60):
        invitation = factories.InvitationFactory.create(organization=organization)
        decided(organization, opportunity_id=f"o-{number}", invitation=invitation)
        factories.EffectFactory.create(organization=organization, invitation=invitation)
    with django_assert_max_num_queries(15):
        answer = super_admin_client.get(ACTIVITY, {"show": show})
    assert len(answer.context["page"]) == 50
    assert "page=2" in text(answer)
    assert len(super_admin_client.get(ACTIVITY, {"show": show, "page": 2}).context["page"]) == 10


def test_a_held_invitation_is_approved_or_refused(organization_admin_client, organization):
    first = factories.InvitationFactory.create(organization=organization, status="held")
    second = factories.InvitationFactory.create(organization=organization, status="held")
    answer = organization_admin_client.post(
        reverse("invitation-approve", args=[first.pk]), {"next": "/activity/?status=held"}
    )
    assert answer["Location"] == "/activity/?status=held"
    organization_admin_client.post(reverse("invitation-cancel", args=[second.pk]), {"reason": "Too many."})
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("pending", "withdrawn")
    assert Effect.objects.filter(invitation=first, kind="send_invitation").exists()


def test_approving_twice_shows_the_status(organization_admin_client, organization):
    invitation = factories.InvitationFactory.create(organization=organization, status="held")
    url = reverse("invitation-approve", args=[invitation.pk])
    organization_admin_client.post(url)
    assert "is waiting to be sent" in text(organization_admin_client.post(url, follow=True))


def test_an_uncertain_invitation_is_resolved_either_way(organization_admin_client, organization):
    sent = factories.InvitationFactory.create(organization=organization, status="uncertain")
    lost = factories.InvitationFactory.create(organization=organization, status="uncertain")
    assert "Was it sent?" in text(organization_admin_client.get(ACTIVITY))
    assert "Give the instance id" in text(
        organization_admin_client.post(reverse("invitation-sent", args=[sent.pk]), follow=True)
    )
    organization_admin_client.post(
        reverse("invitation-sent", args=[sent.pk]), {"instance_id": "instance-7", "reason": "Seen there."}
    )
    organization_admin_client.post(reverse("invitation-send-again", args=[lost.pk]))
    sent.refresh_from_db()
    lost.refresh_from_db()
    assert (sent.status, sent.instance_id) == ("invited", "instance-7")
    assert lost.status == "pending"


def test_a_failed_effect_is_retried_by_a_team_member(
    team_member_client, limited_member, limited_member_client, organization
):
    effect = factories.EffectFactory.create(
        organization=organization, state="failed", due_at=None, last_error="Lever said no."
    )
    factories.on_candidate(organization, effect.opportunity_id, limited_member.email)
    assert "Retry" in text(team_member_client.get(ACTIVITY, {"state": "failed"}))
    page = text(limited_member_client.get(ACTIVITY, {"state": "failed"}))
    assert "Lever said no." in page
    assert "Retry" not in page
    team_member_client.post(reverse("effect-retry", args=[effect.pk]))
    effect.refresh_from_db()
    assert effect.state == "due"


def test_team_members_see_no_admin_buttons(team_member_client, organization):
    factories.InvitationFactory.create(organization=organization, status="held")
    assert "Approve" not in text(team_member_client.get(ACTIVITY))


def test_names_are_escaped(super_admin_client, organization):
    factories.InvitationFactory.create(
        organization=organization, candidate_name="<img src=x onerror=alert(1)>"
    )
    assert "<img src=x" not in text(super_admin_client.get(ACTIVITY))


def test_every_status_and_verdict_has_a_row_that_renders(super_admin_client, organization):
    for status in Invitation.Status:
        factories.InvitationFactory.create(
            organization=organization, status=status, instance_id=f"i-{status}"
        )
    for verdict in list(Delivery.VerdictCode):
        decided(organization, verdict)
    for show in ("invitations", "deliveries"):
        assert super_admin_client.get(ACTIVITY, {"show": show}).status_code == 200


def test_every_verdict_has_a_sentence_and_a_next_step_on_each_page(super_admin_client, organization):
    for number, verdict in enumerate(list(Delivery.VerdictCode)):
        delivery = decided(
            organization, verdict, opportunity_id=f"o-{number}", explanation=f"Because of {number}."
        )
        step = escape(next_step(verdict))
        assert step, verdict
        for url in (
            reverse("delivery", args=[delivery.pk]),
            reverse("candidate", args=[f"o-{number}"]),
            f"/activity/?verdict={verdict}",
        ):
            page = text(super_admin_client.get(url))
            assert f"Because of {number}." in page, (verdict, url)
            assert step in page, (verdict, url)


def test_inviting_again_begins_a_new_round_after_confirmation(
    organization_admin_client, team_member_client, organization
):
    invitation = factories.InvitationFactory.create(
        organization=organization, opportunity_id="o-9", status="completed", instance_id="i-9"
    )
    assert "as round 2" in text(organization_admin_client.get(ACTIVITY))
    assert "as round 2" not in text(team_member_client.get(ACTIVITY))
    url = reverse("invitation-again", args=[invitation.pk])
    assert team_member_client.post(url).status_code == 403
    assert "Round 2 begins" in text(
        organization_admin_client.post(url, {"reason": "Interrupted."}, follow=True)
    )
    page = text(organization_admin_client.get(reverse("candidate", args=["o-9"])))
    assert "Interrupted." in page
    assert "/again/" not in page, "the later round is where one goes on"
    assert "already exists" in text(organization_admin_client.post(url, follow=True))


def test_an_invitation_that_bounced_says_so_beside_its_status(super_admin_client, organization):
    factories.InvitationFactory.create(
        organization=organization, status="invited", instance_id="i-9", bounced_at=timezone.now()
    )
    assert '<span class="badge bad">Bounced</span>' in text(super_admin_client.get(ACTIVITY))


def test_following_stops_after_confirmation(organization_admin_client, organization):
    invitation = factories.InvitationFactory.create(
        organization=organization, status="invited", instance_id="i-9"
    )
    assert "the candidate may still do the assessment" in text(organization_admin_client.get(ACTIVITY))
    answer = organization_admin_client.post(reverse("invitation-cancel", args=[invitation.pk]), follow=True)
    assert "no longer asks CodeScreen" in text(answer)
    invitation.refresh_from_db()
    assert invitation.status == "withdrawn"


@pytest.fixture
def undecided(organization):
    """A failed candidate who waits for a decision; another completed one doesn't."""
    done = {"organization": organization, "status": "completed"}
    factories.InvitationFactory.create(**done, instance_id="calm", candidate_name="Calm Elder")
    return factories.InvitationFactory.create(
        **done, instance_id="waits", candidate_name="Waiting Hazel", awaits_decision_since=timezone.now()
    )


def test_undecided_failed_candidates_are_on_the_overview_and_under_a_filter(
    team_member_client, organization, undecided, ready_organization
):
    overview = text(team_member_client.get("/", {"part": "overview"}))
    assert "1 failed candidate needs your decision" in overview
    answer = team_member_client.get(ACTIVITY, {"status": "awaits_decision"})
    assert [row.pk for row in answer.context["page"]] == [undecided.pk]
    assert "Failed: waits for a decision" in text(answer)
    assert "1 failed candidate to decide about" in text(answer)


def test_a_team_member_records_a_decision(team_member_client, team_member, undecided):
    url = reverse("invitation-decided", args=[undecided.pk])
    assert "Decided…" in text(team_member_client.get(ACTIVITY, {"status": "awaits_decision"}))
    answer = team_member_client.post(url, {"reason": "Interview anyway."}, follow=True)
    assert "no longer waits" in text(answer)
    entry = AuditEntry.objects.get(action="record_decision")
    assert (entry.actor, entry.reason) == (team_member, "Interview anyway.")
    timeline = text(team_member_client.get(reverse("candidate", args=[undecided.opportunity_id])))
    assert "recorded a decision: “Interview anyway.”" in timeline
    assert "doesn&#x27;t wait for a decision" in text(team_member_client.post(url, follow=True))


def test_a_limited_team_member_sees_undecided_candidates_without_a_button(
    limited_member, limited_member_client, undecided
):
    factories.on_candidate(undecided.organization, undecided.opportunity_id, limited_member.email)
    page = text(limited_member_client.get(ACTIVITY, {"status": "awaits_decision"}))
    assert "Waiting Hazel" in page
    assert "Decided…" not in page


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
    invitation = factories.InvitationFactory.create(
        organization=organization, status=status, opportunity_id="o-1", instance_id="i-1"
    )
    delivery = decided(organization, "invite", invitation=invitation, opportunity_id="o-1")
    for page in (ACTIVITY, "/activity/?show=deliveries", "/activity/o-1/", f"/deliveries/{delivery.pk}/"):
        assert sentence in text(super_admin_client.get(page)), page


def test_a_progress_tag_is_named_where_its_effect_is_shown(super_admin_client, organization):
    factories.EffectFactory.create(
        organization=organization,
        kind=Effect.Kind.SET_PROGRESS_TAG,
        payload={"tag": "CodeScreen: Candidate Invited"},
        opportunity_id="o-1",
    )
    for page in ("/activity/?show=effects", "/activity/o-1/"):
        assert "CodeScreen: Candidate Invited" in text(super_admin_client.get(page)), page


def test_an_invitation_that_is_no_longer_followed_says_why(super_admin_client, organization):
    reason = "Not started within 56 days. The portal no longer asks CodeScreen about it."
    invitation = factories.InvitationFactory.create(
        organization=organization,
        status="invited",
        instance_id="instance-1",
        following_ended="not_started",
        following_ended_reason=reason,
        following_ended_at=timezone.now(),
    )
    factories.InvitationFactory.create(organization=organization, status="held", role_title="Chef")
    listed = text(super_admin_client.get(ACTIVITY, {"status": "no_longer_followed"}))
    assert reason in listed
    assert "Chef" not in listed
    candidate = text(super_admin_client.get(reverse("candidate", args=[invitation.opportunity_id])))
    assert "Not started in time" in candidate
    assert reason in candidate
    assert "checks CodeScreen again" in next_step("invite", invitation)
