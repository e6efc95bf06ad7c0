"""What the frame of every page shows."""

import pytest
from django.conf import settings
from django.contrib.auth.models import User


def frame(client) -> str:
    """The page's text with its white space folded."""
    return " ".join(client.get("/").content.decode().split())


def test_only_members_see_the_version(super_admin_client, client, organization) -> None:
    assert settings.VERSION
    assert f"Version {settings.VERSION}" in frame(super_admin_client)
    assert "Version" not in " ".join(client.get("/accounts/login/").content.decode().split())


def entries(client, address: str) -> tuple[list[str], list[str]]:
    """The labels of the main navigation on a page, and those marked as current."""
    links = client.get(address).context["navigation"]
    return [link.label for link in links], [link.label for link in links if link.is_current]


@pytest.mark.parametrize(
    ("address", "current"),
    [
        ("/", "Overview"),
        ("/activity/", "Candidates"),
        ("/preview/", "Roles and rules"),
        ("/settings/team/", "Settings"),
        ("/audit/", "Audit"),
    ],
)
def test_the_main_navigation_has_five_entries_and_marks_the_one_of_the_page(
    super_admin_client, organization, address, current
) -> None:
    shown = ["Overview", "Candidates", "Roles and rules", "Settings", "Audit"]
    assert entries(super_admin_client, address) == (shown, [current])


def test_the_navigation_leaves_out_what_the_role_may_not_open(
    team_member_client, limited_member_client
) -> None:
    assert entries(team_member_client, "/")[0] == ["Overview", "Candidates", "Roles and rules", "Settings"]
    assert entries(limited_member_client, "/")[0] == ["Overview", "Candidates", "Settings"]
    assert 'href="/reports/"' in team_member_client.get("/activity/").content.decode()
    assert 'href="/reports/"' not in limited_member_client.get("/activity/").content.decode()


def test_records_stand_beside_the_log_for_staff(super_admin_client, super_admin, organization) -> None:
    assert len(super_admin_client.get("/audit/").context["audit_tabs"]) == 1
    User.objects.filter(pk=super_admin.pk).update(is_staff=True)
    for address, current in (("/audit/", "Log"), ("/admin/", "Records")):
        page = super_admin_client.get(address)
        tabs = [(link.label, link.is_current) for link in page.context["audit_tabs"]]
        assert tabs == [("Log", current == "Log"), ("Records", current == "Records")]
        assert entries(super_admin_client, address)[1] == ["Audit"]


def test_the_operator_reaches_the_records_without_an_organization(client_for) -> None:
    operator = User.objects.create_superuser("operator", "operator@portal.example")
    assert 'href="/admin/"' in client_for(operator).get("/account/").content.decode()
