"""Members are invited, changed and removed, and each change is audited."""

import pytest
from django.core.exceptions import ValidationError

from integrations.models import AuditEntry, Membership
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.members import change_role, invite_member, remove_member, save_member


def test_the_last_super_admin_is_neither_changed_nor_removed(organization, super_admin):
    member = Membership.objects.get(user=super_admin)
    with pytest.raises(ActionNotAllowed, match="last Super Admin"):
        change_role(member, "admin", super_admin)
    with pytest.raises(ActionNotAllowed, match="last Super Admin"):
        remove_member(member, super_admin)
    assert Membership.objects.get(user=super_admin).role == "super_admin"
    assert not AuditEntry.objects.exists()


def test_a_user_name_of_another_address_is_not_invited(organization, super_admin, stranger):
    with pytest.raises(ValidationError, match="Somebody else has this user name"):
        invite_member(organization, stranger.username, "other@acme.example", "admin", super_admin)
    assert not organization.memberships.filter(user=stranger).exists()


def test_saving_a_member_audits_only_what_changed(organization, super_admin):
    save_member(organization, "new", "admin", "configure", email="n@a.example", password="a long passphrase")
    save_member(organization, "new", "admin", "configure", email="n@a.example", password="a long passphrase")
    save_member(organization, "new", "team_member", "configure")
    save_member(organization, "new", "admin", "configure", email="m@a.example")
    entries = AuditEntry.objects.order_by("pk")
    assert [(entry.action, entry.changes) for entry in entries] == [
        (
            "add_member",
            {"role": ["", "admin"], "email": ["", "n@a.example"], "password": ["empty", "set"]},
        ),
        ("change_role", {"role": ["admin", "team_member"]}),
        (
            "change_member",
            {"role": ["team_member", "admin"], "email": ["n@a.example", "m@a.example"]},
        ),
    ]
