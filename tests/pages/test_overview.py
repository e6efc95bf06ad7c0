"""The checklist reads the real state, and gives way to the overview."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Effect, Invitation, LeverWebhook, Role, RoleMapping
from integrations.pages import checklist
from tests import factories


def done(organization) -> list[str]:
    return [step.code for step in checklist.steps(organization) if step.is_done]


def test_nothing_is_done_at_first_and_the_page_says_what_to_click(owners, organization):
    assert done(organization) == []
    page = owners.get("/").content.decode()
    assert "0 of 7 steps" in page
    assert organization.lever_webhook_url in page


def test_each_step_is_done_by_what_is_really_there(organization):
    lever = factories.LeverConnectionFactory.create(organization=organization)
    assert done(organization) == ["lever"]
    webhook = factories.LeverWebhookFactory.create(organization=organization)
    assert done(organization) == ["lever", "webhook"]
    LeverWebhook.objects.filter(pk=webhook.pk).update(last_received_at=timezone.now())
    assert "verified" in done(organization)
    lever.mark_needs_reconnect("Revoked in Lever.")
    assert "lever" not in done(organization)


def test_a_key_counts_once_codescreen_accepted_it(organization):
    connection = factories.CodeScreenConnectionFactory.create(organization=organization)
    assert "codescreen" not in done(organization)
    connection.verified_at = timezone.now()
    connection.save()
    assert "codescreen" in done(organization)
    connection.mark_refused("401")
    assert "codescreen" not in done(organization)


@pytest.mark.parametrize(
    "tags", [["CodeScreen Backend"], ["codescreen  Backend", "CodeScreen: Candidate Invited"]]
)
def test_a_tagged_role_counts_as_mapped_and_a_progress_tag_does_not(organization, tags):
    role = Role.objects.create(
        organization=organization, external_id="r", title="Backend", tags=["CodeScreen: Candidate Invited"]
    )
    assert "roles" not in done(organization)
    role.tags = tags
    role.save()
    assert "roles" in done(organization)


def test_when_all_is_done_the_page_becomes_the_overview(owners, ready):
    now = timezone.now()
    factories.InvitationFactory.create(
        organization=ready, status="completed", instance_id="i-1", invited_at=now, completed_at=now
    )
    factories.InvitationFactory.create(organization=ready, status="held")
    factories.EffectFactory.create(organization=ready, state=Effect.State.FAILED, due_at=None)
    page = owners.get("/").content.decode()
    assert "steps are done" not in page
    assert "1 held invitation" in page
    assert "1 failed effect" in page
    assert "CodeScreen Assessment" in page


def test_the_counts_are_todays_and_ones_own(owners, ready, stranger):
    now = timezone.now()
    other = stranger.memberships.get().organization
    factories.InvitationFactory.create(organization=other, status="invited", instance_id="x", invited_at=now)
    factories.InvitationFactory.create(
        organization=ready, status="invited", instance_id="y", invited_at=now - timedelta(days=2)
    )
    assert owners.get("/").context["today"]["invited"] == 0


def test_the_number_of_queries_does_not_grow_with_the_rows(owners, ready, django_assert_max_num_queries):
    for number in range(30):
        factories.InvitationFactory.create(organization=ready, status=Invitation.Status.HELD)
        factories.DeliveryFactory.create(organization=ready)
        RoleMapping.objects.create(organization=ready, role=f"Role {number}", assessment="Backend")
    with django_assert_max_num_queries(60):
        owners.get("/")
