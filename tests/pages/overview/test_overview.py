"""The checklist reads the real state, and gives way to the overview."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from integrations.models import (
    CodeScreenConnection,
    Effect,
    Invitation,
    LeverConnection,
    LeverWebhook,
    Result,
    Role,
    RoleMapping,
    WebhookRejection,
)
from integrations.pages.overview import checklist
from integrations.queue import notify
from tests import factories


def done(organization) -> list[str]:
    return [step.code for step in checklist.setup_steps(organization) if step.is_done]


def test_nothing_is_done_at_first_and_the_page_says_what_to_click(super_admin_client, organization):
    assert done(organization) == []
    page = super_admin_client.get("/").content.decode()
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


def test_when_all_is_done_the_page_becomes_the_overview(super_admin_client, ready_organization):
    now = timezone.now()
    factories.InvitationFactory.create(
        organization=ready_organization,
        status="completed",
        instance_id="i-1",
        invited_at=now,
        completed_at=now,
    )
    factories.InvitationFactory.create(organization=ready_organization, status="held")
    factories.EffectFactory.create(organization=ready_organization, state=Effect.State.FAILED, due_at=None)
    page = super_admin_client.get("/").content.decode()
    assert "steps are done" not in page
    assert "1 held invitation" in page
    assert "1 failed effect" in page
    assert "CodeScreen Assessment" in page


def test_the_counts_are_todays_and_ones_own(super_admin_client, ready_organization, stranger):
    now = timezone.now()
    other = stranger.memberships.get().organization
    factories.InvitationFactory.create(organization=other, status="invited", instance_id="x", invited_at=now)
    factories.InvitationFactory.create(
        organization=ready_organization, status="invited", instance_id="y", invited_at=now - timedelta(days=2)
    )
    assert super_admin_client.get("/").context["today"].invited == 0


def test_the_number_of_queries_does_not_grow_with_the_rows(
    super_admin_client, ready_organization, django_assert_max_num_queries
):
    for number in range(30):
        factories.InvitationFactory.create(organization=ready_organization, status=Invitation.Status.HELD)
        factories.DeliveryFactory.create(organization=ready_organization)
        RoleMapping.objects.create(
            organization=ready_organization, role=f"Role {number}", assessment="Backend"
        )
    with django_assert_max_num_queries(60):
        super_admin_client.get("/")


def test_a_super_admin_does_each_step_on_the_spot_and_comes_back(super_admin_client, organization):
    page = " ".join(super_admin_client.get("/").content.decode().split())
    for action in ("/oauth/login/lever/", "/settings/webhooks/make/", "/settings/", "/mappings/refresh/"):
        form = page.split(f'<form method="post" action="{action}"', 1)[1].split("</form>")[0]
        assert 'name="next" value="/"' in form, action
    answer = super_admin_client.post("/settings/", {"codescreen_api_key": "key-1", "next": "/"})
    assert answer["Location"] == "/"
    assert CodeScreenConnection.objects.get(organization=organization).api_key == "key-1"


def test_those_who_may_not_connect_get_no_form_and_are_told_whom_to_ask(
    organization_admin_client, team_member_client, super_admin
):
    for client in (organization_admin_client, team_member_client):
        page = client.get("/").content.decode()
        assert "/oauth/login/lever/" not in page
        assert "codescreen_api_key" not in page
        assert super_admin.username in page


def test_a_test_request_proves_the_way_and_leaves_the_switch_in_doubt(super_admin_client, ready_organization):
    assert "no stage change yet" in super_admin_client.get("/").content.decode()
    LeverWebhook.objects.filter(organization=ready_organization).update(last_received_at=timezone.now())
    assert "no stage change yet" not in super_admin_client.get("/").content.decode()


def test_a_refused_request_is_explained_where_it_is_waited_for(super_admin_client, organization):
    factories.LeverWebhookFactory.create(organization=organization)
    WebhookRejection.record(organization, "lever", "signature_mismatch", "unknown_token")
    assert "token of another webhook" in super_admin_client.get("/").content.decode()


def test_while_somebody_waits_the_lists_are_read_anew_now_and_then(
    super_admin_client, team_member_client, organization, monkeypatch
):
    asked: list[Any] = []
    monkeypatch.setattr(notify, "request_catalog_refresh", asked.append)
    cache.clear()
    team_member_client.get("/", headers={"X-Live-Part": "checklist"})
    assert asked == []
    for _ in range(3):
        super_admin_client.get("/", headers={"X-Live-Part": "checklist"})
    assert asked == [organization]


def test_the_checklist_is_shown_while_redis_is_away(super_admin_client, settings):
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    assert super_admin_client.get("/", headers={"X-Live-Part": "checklist"}).status_code == 200


def test_nothing_is_read_anew_when_no_step_waits_for_it(super_admin_client, ready_organization, monkeypatch):
    asked: list[Any] = []
    monkeypatch.setattr(notify, "request_catalog_refresh", asked.append)
    cache.clear()
    super_admin_client.get("/", headers={"X-Live-Part": "checklist"})
    assert asked == []


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"outcome": "Passed", "score": 82}, "Passed, score 82"),
        ({"score": 40}, "Result not stated, score 40"),
        ({"outcome": "Failed", "score": 10, "failure_reason": "Unit Tests"}, "Failed, score 10, Unit Tests"),
    ],
)
def test_what_codescreen_said_stands_beside_the_status(super_admin_client, ready_organization, told, said):
    now = timezone.now()
    row = factories.InvitationFactory.create(
        organization=ready_organization,
        status="completed",
        instance_id="i-1",
        invited_at=now,
        completed_at=now,
        opportunity_id="o-1",
    )
    Result.objects.create(invitation=row, attempt=1, outcome="Expired")
    Result.objects.create(invitation=row, attempt=2, **told)
    for page in ("/", "/activity/", "/activity/o-1/"):
        assert said in super_admin_client.get(page).content.decode(), page


def test_the_lever_account_being_lost_brings_the_connect_button_back(super_admin_client, ready_organization):
    assert "Connect Lever</button>" not in super_admin_client.get("/").content.decode()
    LeverConnection.objects.get(organization=ready_organization).mark_needs_reconnect("Revoked in Lever.")
    assert "Connect Lever</button>" in super_admin_client.get("/").content.decode()
