"""What the frame of every page shows."""

from django.conf import settings

from integrations.members.models.membership import Membership
from tests.support import factories


def frame(client) -> str:
    """The page's text with its white space folded."""
    return " ".join(client.get("/").content.decode().split())


def test_the_products_name_stays_after_signing_in(super_admin_client, organization) -> None:
    page = frame(super_admin_client)
    assert "CodeScreen–Lever <span>portal</span>" in page
    assert f"<span>{organization.name}</span>" in page


def test_a_person_of_two_organizations_may_switch(super_admin_client, super_admin, organization) -> None:
    assert "Switch to" not in frame(super_admin_client)
    other = factories.OrganizationFactory.create(name="Birch & Sons")
    Membership.objects.create(user=super_admin, organization=other, role="admin")
    page = frame(super_admin_client)
    assert f'name="organization" value="{other.slug}">Birch &amp; Sons</button>' in page


def test_only_members_see_the_version(super_admin_client, client, organization) -> None:
    assert settings.VERSION
    assert f"Version {settings.VERSION}" in frame(super_admin_client)
    assert "Version" not in " ".join(client.get("/accounts/login/").content.decode().split())
