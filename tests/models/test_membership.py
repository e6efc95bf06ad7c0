"""An organization keeps a Super Admin who can sign in, also when two remove each other at once."""

import threading

import pytest
from django.db import connection, transaction

from integrations.models import LastSuperAdmin, Membership
from tests import factories

SUPER_ADMIN, ADMIN = Membership.Role.SUPER_ADMIN, Membership.Role.ADMIN


@pytest.fixture
def two(organization) -> list[Membership]:
    for name in ("first", "second"):
        factories.member(organization, SUPER_ADMIN, name)
    return list(organization.memberships.order_by("pk"))


def holders(organization) -> int:
    return Membership.objects.filter(organization=organization, role=SUPER_ADMIN).count()


def test_the_last_one_can_neither_go_nor_step_down(organization, two):
    first, second = two
    first.end()
    with pytest.raises(LastSuperAdmin):
        second.end()
    with pytest.raises(LastSuperAdmin):
        second.change_role(ADMIN)
    second.change_role(SUPER_ADMIN)
    assert holders(organization) == 1


def test_somebody_who_can_no_longer_sign_in_does_not_count(organization, two):
    first, second = two
    second.user.is_active = False
    second.user.save()
    with pytest.raises(LastSuperAdmin):
        first.end()
    second.end()


def test_another_organizations_super_admin_does_not_count(organization, two, stranger):
    two[0].change_role(ADMIN)
    with pytest.raises(LastSuperAdmin):
        two[1].change_role(ADMIN)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("acts", [("end", "end"), ("change_role", "change_role"), ("end", "change_role")])
def test_two_who_remove_each_other_at_once_leave_one(organization, two, acts):
    """Both have looked before either commits: without the lock each would see the other and go."""
    start = threading.Barrier(2, timeout=30)
    outcomes = []

    def act(pk: int, verb: str) -> None:
        try:
            member = Membership.objects.get(pk=pk)
            start.wait()
            with transaction.atomic():
                member.end() if verb == "end" else member.change_role(ADMIN)
                # a slow request: its change isn't committed while the other looks
                threading.Event().wait(0.3)
            outcomes.append("done")
        except LastSuperAdmin:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [
        threading.Thread(target=act, args=(member.pk, verb)) for member, verb in zip(two, acts, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]
    assert holders(organization) == 1
