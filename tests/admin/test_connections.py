"""Role mappings in the admin: the one list whose rows people change, add and remove."""

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client

from integrations.audit.models.entry import AuditEntry
from integrations.catalog.models import RoleMapping
from integrations.members.models.membership import Membership
from tests.admin.conftest import Customer, make_customer, sign_in
from tests.admin.test_scope import address


def delete(client: Client, *mappings: RoleMapping) -> None:
    keys = [mapping.pk for mapping in mappings]
    values = {"action": "delete_selected", ACTION_CHECKBOX_NAME: keys, "post": "yes"}
    client.post(address(RoleMapping, "changelist"), values, follow=True)


def test_mappings_are_removed_by_admins_of_their_organization_only(acme: Customer) -> None:
    globex = make_customer("globex")
    client = sign_in("admin", acme)
    user = Membership.objects.get(role="admin").user
    Membership.objects.create(user=user, organization=globex.organization, role="team_member")
    mappings = [acme.rows[RoleMapping], globex.rows[RoleMapping]]
    delete(client, *mappings)
    assert RoleMapping.objects.count() == 2
    delete(client, mappings[0])
    assert list(RoleMapping.objects.all()) == [mappings[1]]
    assert AuditEntry.objects.filter(action="delete_mapping", organization=acme.organization).exists()


def test_a_mapping_can_only_be_added_to_ones_own_organization(acme: Customer, globex: Customer) -> None:
    client = sign_in("admin", acme)
    page = client.get(address(RoleMapping, "add"))
    assert page.status_code == 200
    assert "Globex" not in page.content.decode()
    values = {"role": "Nurse", "stage": "", "assessment": "Backend"}
    refused = client.post(address(RoleMapping, "add"), {**values, "organization": globex.organization.pk})
    assert refused.status_code == 200
    made = client.post(address(RoleMapping, "add"), {**values, "organization": acme.organization.pk})
    assert made.status_code == 302
    assert list(RoleMapping.objects.filter(role="Nurse").values_list("organization__slug", flat=True)) == [
        "acme"
    ]
    assert acme.organization.audit_entries.filter(action="add_mapping").exists()
