"""An organization always keeps a Super Admin who can sign in, also when two remove each other at once."""

import threading
from functools import partial

import pytest
from django.db import connection, transaction

from integrations.members.acts.invitations import leave
from integrations.members.end_access import remove_member
from integrations.members.models.membership import LastSuperAdmin, Membership
from tests.support import factories
from tests.support.factories import recorded

SUPER_ADMIN, ADMIN = Membership.Role.SUPER_ADMIN, Membership.Role.ADMIN


@pytest.fixture
def super_admins(organization) -> list[Membership]:
    for name in ("first", "second"):
        factories.member(organization, SUPER_ADMIN, name)
    return list(organization.memberships.order_by("pk"))


def count_super_admins(organization) -> int:
    return Membership.objects.filter(organization=organization, role=SUPER_ADMIN).count()


def test_neither_an_inactive_super_admin_nor_one_elsewhere_counts(super_admins, stranger):
    first, second = super_admins
    second.user.is_active = False
    second.user.save()
    with pytest.raises(LastSuperAdmin):
        first.end()
    first.change_role(SUPER_ADMIN)
    second.end()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("acts", [("end", "end"), ("end", "change_role")])
def test_one_super_admin_remains_when_two_remove_each_other_at_once(organization, super_admins, acts):
    """Both check before either commits: without the lock each would see the other and succeed."""
    start = threading.Barrier(2, timeout=30)
    outcomes = []

    def act(pk: int, verb: str) -> None:
        try:
            member = Membership.objects.get(pk=pk)
            start.wait()
            with transaction.atomic():
                member.end() if verb == "end" else member.change_role(ADMIN)
                # a slow request: its change isn't committed while the other one checks
                threading.Event().wait(0.3)
            outcomes.append("done")
        except LastSuperAdmin:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [
        threading.Thread(target=act, args=(member.pk, verb))
        for member, verb in zip(super_admins, acts, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]
    assert count_super_admins(organization) == 1


@pytest.mark.parametrize(
    ("end", "action"), [(leave, "leave"), (partial(remove_member, actor="operator"), "remove_member")]
)
def test_what_two_requests_end_is_recorded_once(super_admins, end, action):
    for member in [Membership.objects.get(pk=super_admins[0].pk) for _ in range(2)]:
        end(member)
    assert list(recorded().values_list("action", flat=True)) == [action]


@pytest.mark.parametrize("address", ["first@acme.example", ""])
@pytest.mark.parametrize("lists_own", [False, True])
@pytest.mark.parametrize("role", Membership.Role)
def test_who_uses_the_people_on_a_candidate(organization, role, lists_own, address):
    factories.member(organization, role, "first")
    Membership.objects.filter(organization=organization).update(address=address, lists_own=lists_own)
    expected = address != "" and (role == Membership.Role.LIMITED_TEAM_MEMBER or lists_own)
    assert bool(Membership.objects.using_people(organization.pk)) is expected
