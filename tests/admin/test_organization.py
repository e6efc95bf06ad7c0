"""Organizations in the admin: their policies, masked addresses and members, and new ones."""

from integrations.audit.models.entry import AuditEntry
from integrations.organizations.models.organization import Organization
from tests.admin.conftest import Customer, sign_in
from tests.admin.test_scope import address


def test_only_super_admins_see_the_masked_key(acme: Customer) -> None:
    page = address(Organization, "change", acme.organization.pk)
    assert "acme…" in sign_in("super_admin", acme).get(page).content.decode()
    text = sign_in("admin", acme).get(page).content.decode()
    assert "acme…" not in text
    assert "Require approval above this many candidates" in text


def test_superusers_create_organizations(db: None) -> None:
    client = sign_in(None, is_superuser=True)
    answer = client.post(address(Organization, "add"), {"name": "New", "slug": "new"})
    assert answer.status_code == 302
    assert Organization.objects.get(slug="new").webhook_key
    assert AuditEntry.objects.filter(action="create_organization").exists()
