"""Admin actions: previewed, done after a confirmation, and only with a role that allows them."""

from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from integrations.http.errors import PlatformError
from integrations.models import (
    AuditEntry,
    Delivery,
    Effect,
    Invitation,
    Membership,
    Organization,
    RoleMapping,
)
from integrations.queue import on_request
from integrations.verdict_code import VerdictCode
from integrations.workflow.rules.facts import Decision
from tests.admin.conftest import Customer, make_customer, sign_in
from tests.admin.test_scope import address


def act(client: Client, model: type, action: str, *rows: Any, **values: str):
    return client.post(
        address(model, "changelist"),
        {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows], **values},
        follow=True,
    )


@pytest.fixture
def replays(monkeypatch) -> list[Delivery]:
    done: list[Delivery] = []

    def replay(delivery, actor) -> Decision:
        done.append(delivery)
        return Decision(VerdictCode.INVITE, "The assessment is “Backend”, because of the default.")

    monkeypatch.setattr(
        on_request, "preview", lambda delivery: Decision(VerdictCode.NO_EMAIL, "There is no address.")
    )
    monkeypatch.setattr(on_request, "replay", replay)
    return done


def test_replay_shows_the_verdict_first_and_decides_once_confirmed(
    acme: Customer, replays: list[Delivery]
) -> None:
    client, delivery = sign_in("admin", acme), acme.rows[Delivery]
    page = act(client, Delivery, "replay", delivery)
    assert "No e-mail address: There is no address." in page.content.decode()
    assert not replays
    page = act(client, Delivery, "replay", delivery, confirmed="yes")
    assert "Invite: The assessment is “Backend”" in page.content.decode()
    assert replays == [delivery]


def test_replay_starts_from_the_deliverys_own_page_too(acme: Customer, replays: list[Delivery]) -> None:
    client, delivery = sign_in("admin", acme), acme.rows[Delivery]
    page = client.get(address(Delivery, "change", delivery.pk))
    assert "Replay: decide again" in page.content.decode()
    answer = client.post(
        address(Delivery, "change", delivery.pk),
        {"CHANGE_FORM-action": "replay", ACTION_CHECKBOX_NAME: delivery.pk, "index": "0"},
    )
    assert "There is no address." in answer.content.decode()


def test_team_members_are_not_offered_replay_and_cannot_force_it(
    acme: Customer, replays: list[Delivery]
) -> None:
    client = sign_in("team_member", acme)
    assert "Replay: decide again" not in client.get(address(Delivery, "changelist")).content.decode()
    act(client, Delivery, "replay", acme.rows[Delivery], confirmed="yes")
    assert not replays


def test_a_role_in_one_organization_gives_no_rights_in_another(
    acme: Customer, globex: Customer, replays: list[Delivery]
) -> None:
    client = sign_in("admin", acme)
    user = Membership.objects.get(role="admin").user
    Membership.objects.create(user=user, organization=globex.organization, role="team_member")
    page = act(client, Delivery, "replay", globex.rows[Delivery])
    assert "Your role in this organization" in page.content.decode()
    page = act(client, Delivery, "replay", globex.rows[Delivery], acme.rows[Delivery], confirmed="yes")
    assert replays == [acme.rows[Delivery]]


def test_another_organizations_row_is_not_among_the_chosen(
    acme: Customer, globex: Customer, replays: list[Delivery]
) -> None:
    act(sign_in("super_admin", acme), Delivery, "replay", globex.rows[Delivery], confirmed="yes")
    assert not replays


def test_a_platform_error_is_a_message_and_not_a_server_error(acme: Customer, monkeypatch) -> None:
    def fail(delivery) -> Decision:
        raise PlatformError("Lever did not answer: ReadTimeout")

    monkeypatch.setattr(on_request, "preview", fail)
    page = act(sign_in("admin", acme), Delivery, "replay", acme.rows[Delivery])
    assert "Lever did not answer" in page.content.decode()
    assert 'name="confirmed"' not in page.content.decode()


def test_more_rows_than_the_maximum_are_refused(acme: Customer, replays: list[Delivery]) -> None:
    rows = [
        Delivery.objects.create(
            organization=acme.organization, platform="lever", event="x", dedupe_key=str(number), payload={}
        )
        for number in range(21)
    ]
    page = act(sign_in("admin", acme), Delivery, "replay", *rows, confirmed="yes")
    assert "at most 20" in page.content.decode()
    assert not replays


def test_held_invitations_are_approved_with_a_reason(acme: Customer) -> None:
    client, invitation = sign_in("admin", acme), acme.rows[Invitation]
    page = act(client, Invitation, "approve", invitation)
    assert "is sent to Candidate of acme" in page.content.decode()
    invitation.refresh_from_db()
    assert invitation.status == "held"
    act(client, Invitation, "approve", invitation, confirmed="yes", reason="Agreed with the team")
    invitation.refresh_from_db()
    assert invitation.status == "pending"
    entry = AuditEntry.objects.get(action="approve")
    assert (entry.reason, entry.actor_name) == ("Agreed with the team", "admin-staff-False")


def test_held_invitations_are_cancelled(acme: Customer) -> None:
    act(sign_in("admin", acme), Invitation, "cancel", acme.rows[Invitation], confirmed="yes")
    acme.rows[Invitation].refresh_from_db()
    assert acme.rows[Invitation].status == "withdrawn"


def test_only_uncertain_or_failed_invitations_are_sent_again(acme: Customer) -> None:
    client, invitation = sign_in("admin", acme), acme.rows[Invitation]
    page = act(client, Invitation, "send_again", invitation)
    assert "Not possible" in page.content.decode()
    Invitation.objects.update(status="uncertain")
    page = act(client, Invitation, "send_again", invitation)
    assert "Look in CodeScreen first" in page.content.decode()
    act(client, Invitation, "send_again", invitation, confirmed="yes")
    invitation.refresh_from_db()
    assert invitation.status == "pending"


def test_team_members_retry_failed_effects_and_approve_nothing(acme: Customer) -> None:
    client, effect = sign_in("team_member", acme), acme.rows[Effect]
    assert "Lever answered 400" in act(client, Effect, "retry", effect).content.decode()
    act(client, Effect, "retry", effect, confirmed="yes")
    effect.refresh_from_db()
    assert effect.state == "due"
    act(client, Invitation, "approve", acme.rows[Invitation], confirmed="yes")
    acme.rows[Invitation].refresh_from_db()
    assert acme.rows[Invitation].status == "held"


def policies(organization: Organization, **changes: object) -> dict[str, object]:
    names = ("name", "stage_prefix", "bulk_limit", "bulk_window", "default_assessment")
    ratings = ("rating_2_from", "rating_3_from", "rating_4_from")
    rounds = ("reentry", "reentry_days", "leaving", "no_show_days")
    others = ("brand_colour", "report_time_zone")
    ages = ("retention_days", "call_retention_days", "delivery_retention_days")
    values = {name: getattr(organization, name) for name in (*names, *ratings, *rounds, *ages, *others)}
    return {**values, "note_on_skip": "on", **changes}


def test_admins_change_policies_audited(acme: Customer) -> None:
    client, organization = sign_in("admin", acme), acme.organization
    page = client.get(address(Organization, "change", organization.pk))
    assert "acme…" not in page.content.decode()
    answer = client.post(
        address(Organization, "change", organization.pk),
        policies(organization, bulk_limit=7, name="Taken over"),
    )
    assert answer.status_code == 302
    organization.refresh_from_db()
    assert (organization.bulk_limit, organization.name) == (7, "Acme")
    assert organization.webhook_key == "acme-whole-webhook-key"
    assert AuditEntry.objects.filter(action="change_policies", organization=organization).exists()


def test_thresholds_that_do_not_rise_are_refused_on_the_form(acme: Customer) -> None:
    organization = acme.organization
    answer = sign_in("admin", acme).post(
        address(Organization, "change", organization.pk), policies(organization, rating_2_from=90)
    )
    assert "Rating thresholds must rise" in answer.content.decode()


def test_super_admins_see_the_masked_key_and_rename(acme: Customer) -> None:
    client, organization = sign_in("super_admin", acme), acme.organization
    assert "acme…" in client.get(address(Organization, "change", organization.pk)).content.decode()
    client.post(address(Organization, "change", organization.pk), policies(organization, name="Acme Two"))
    organization.refresh_from_db()
    assert organization.name == "Acme Two"
    assert client.get(address(Organization, "add")).status_code == 403


def test_superusers_create_organizations(db: None) -> None:
    client = sign_in(None, is_superuser=True)
    answer = client.post(
        address(Organization, "add"), policies(Organization(name="New"), slug="new", name="New", paused="")
    )
    assert answer.status_code == 302
    assert Organization.objects.get(slug="new").webhook_key


def test_the_last_super_admin_stays(acme: Customer) -> None:
    client = sign_in(None, is_superuser=True)
    owner = acme.rows[Membership]
    page = client.post(address(Membership, "change", owner.pk), {"role": "admin"})
    assert "last Super Admin" in page.content.decode()
    assert client.post(address(Membership, "delete", owner.pk), {"post": "yes"}).status_code == 403
    sign_in("super_admin", acme)
    client.post(address(Membership, "change", owner.pk), {"role": "admin"})
    owner.refresh_from_db()
    assert owner.role == "admin"
    assert AuditEntry.objects.filter(action="change_role").exists()


@pytest.mark.parametrize("role", ["admin", "team_member"])
def test_only_super_admins_change_members(acme: Customer, role: str) -> None:
    client = sign_in(role, acme)
    mine = Membership.objects.get(role=role)
    assert client.post(address(Membership, "change", mine.pk), {"role": "super_admin"}).status_code == 403
    assert client.post(address(Membership, "delete", mine.pk), {"post": "yes"}).status_code == 403


def test_mappings_are_removed_by_admins_of_their_organization_only(acme: Customer) -> None:
    globex = make_customer("globex")
    client = sign_in("admin", acme)
    user = Membership.objects.get(role="admin").user
    Membership.objects.create(user=user, organization=globex.organization, role="team_member")
    mappings = [acme.rows[RoleMapping], globex.rows[RoleMapping]]
    act(client, RoleMapping, "delete_selected", *mappings, post="yes")
    assert RoleMapping.objects.count() == 2
    act(client, RoleMapping, "delete_selected", mappings[0], post="yes")
    assert list(RoleMapping.objects.all()) == [mappings[1]]
    assert AuditEntry.objects.filter(action="delete_mapping", organization=acme.organization).exists()


def test_the_index_names_the_portal(acme: Customer) -> None:
    text = sign_in("admin", acme).get(reverse("admin:index")).content.decode()
    assert "CodeScreen–Lever portal" in text


def test_a_stage_on_pass_that_would_invite_is_refused_beside_its_field(acme: Customer) -> None:
    client = sign_in(Membership.Role.ADMIN, acme)
    url = address(Organization, "change", acme.organization.pk)
    form = client.get(url).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value is not None and value is not False}
    refused = client.post(url, values | {"passed_stage": "stage-1"})
    assert "sends an assessment" in str(refused.context["adminform"].form.errors["passed_stage"])
    client.post(url, values | {"passed_stage": "Phone screen", "hold_failed": "on"})
    acme.organization.refresh_from_db()
    assert (acme.organization.passed_stage, acme.organization.hold_failed) == ("Phone screen", True)


def test_a_mapping_that_makes_the_stage_on_pass_invite_refuses_no_other_change(acme: Customer) -> None:
    Organization.objects.filter(pk=acme.organization.pk).update(passed_stage="Phone screen")
    RoleMapping.objects.create(
        organization=acme.organization, role="Engineer", stage="Phone screen", assessment="Backend"
    )
    client = sign_in(Membership.Role.ADMIN, acme)
    url = address(Organization, "change", acme.organization.pk)
    form = client.get(url).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value is not None and value is not False}
    client.post(url, values | {"paused": "on"})
    assert Organization.objects.get(pk=acme.organization.pk).paused
    refused = client.post(url, values | {"passed_stage": "phone screen"})
    assert "sends an assessment" in str(refused.context["adminform"].form.errors["passed_stage"])
