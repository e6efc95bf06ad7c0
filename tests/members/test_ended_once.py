"""What two requests end at the same time is recorded and told once."""

import pytest

from integrations.members import end_access
from integrations.members.acts import invitations
from integrations.members.models.membership import Membership
from tests.support import factories
from tests.support.factories import recorded


@pytest.fixture
def leaver(organization, super_admin):
    return Membership.objects.get(user=factories.member(organization, "admin", "dora"))


def actions() -> list[str]:
    return list(recorded().order_by("pk").values_list("action", flat=True))


def read_twice(row):
    return [type(row).objects.get(pk=row.pk) for _ in range(2)]


def test_a_member_leaves_once(leaver):
    for member in read_twice(leaver):
        invitations.leave(member)
    assert actions() == ["leave"]


def test_a_member_is_removed_once(leaver):
    for member in read_twice(leaver):
        end_access.remove_member(member, "operator")
    assert actions() == ["remove_member"]
