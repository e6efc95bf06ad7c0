"""Organizations in the admin: policies and members, changed by those whose role allows it."""

import pytest

from integrations.audit.models.entry import AuditEntry
from integrations.catalog.models import RoleMapping
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from tests.admin.conftest import Customer, sign_in
from tests.admin.test_scope import address


def policies(organization: Organization, **changes: object) -> dict[str, object]:
    names = ("name", "stage_prefix", "bulk_limit", "bulk_window", "default_assessment")
    ratings = ("rating_2_from", "rating_3_from", "rating_4_from")
    rounds = ("reentry", "reentry_days", "leaving", "not_started_days", "no_show_days")
    others = ("retention_days", "brand_colour", "report_time_zone")
    values = {name: getattr(organization, name) for name in (*names, *ratings, *rounds, *others)}
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


def test_rules_of_origins_are_read_from_a_text_and_checked(acme: Customer) -> None:
    client, organization = sign_in("admin", acme), acme.organization
    url = address(Organization, "change", organization.pk)
    refused = client.post(url, policies(organization, origins='{"agent": "hold"}'))
    assert "“agent” is no origin in Lever" in refused.content.decode()
    client.post(url, policies(organization, origins='{"agency": "hold"}'))
    organization.refresh_from_db()
    assert organization.origins == {"agency": "hold"}
    # beside a field whose default is a function, the admin posts what the page showed
    shown = {"initial-origins": '{"agency": "hold"}'}
    client.post(url, policies(organization, **shown, origins=""))
    organization.refresh_from_db()
    assert organization.origins == {}


def test_answers_that_hold_are_read_from_a_text_and_emptied_by_an_empty_one(acme: Customer) -> None:
    client, organization = sign_in("admin", acme), acme.organization
    url = address(Organization, "change", organization.pk)
    client.post(url, policies(organization, hold_question="More time?", hold_answers='["Yes"]'))
    organization.refresh_from_db()
    assert (organization.hold_question, organization.hold_answers) == ("More time?", ["Yes"])
    refused = client.post(url, policies(organization, hold_question="", hold_answers='["Yes"]'))
    assert "Give the question together with the answers that hold" in refused.content.decode()
    client.post(
        url, {"initial-hold_answers": '["Yes"]'} | policies(organization, hold_question="", hold_answers="")
    )
    organization.refresh_from_db()
    assert (organization.hold_question, organization.hold_answers) == ("", [])


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


def test_a_stage_on_pass_that_would_invite_is_refused_beside_its_field(acme: Customer) -> None:
    client = sign_in(Membership.Role.ADMIN, acme)
    url = address(Organization, "change", acme.organization.pk)
    form = client.get(url).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value is not None and value is not False}
    refused = client.post(url, values | {"stage_on_pass": "stage-1"})
    assert "sends an assessment" in str(refused.context["adminform"].form.errors["stage_on_pass"])
    client.post(url, values | {"stage_on_pass": "Phone screen", "hold_failed": "on"})
    acme.organization.refresh_from_db()
    assert (acme.organization.stage_on_pass, acme.organization.hold_failed) == ("Phone screen", True)


def test_a_mapping_that_makes_the_stage_on_pass_invite_refuses_no_other_change(acme: Customer) -> None:
    Organization.objects.filter(pk=acme.organization.pk).update(stage_on_pass="Phone screen")
    RoleMapping.objects.create(
        organization=acme.organization, role="Engineer", stage="Phone screen", assessment="Backend"
    )
    client = sign_in(Membership.Role.ADMIN, acme)
    url = address(Organization, "change", acme.organization.pk)
    form = client.get(url).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value is not None and value is not False}
    client.post(url, values | {"paused": "on"})
    assert Organization.objects.get(pk=acme.organization.pk).paused
    refused = client.post(url, values | {"stage_on_pass": "phone screen"})
    assert "sends an assessment" in str(refused.context["adminform"].form.errors["stage_on_pass"])
