"""`reset_second_factor`: the operator's way for a person who has lost theirs."""

from functools import partial

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError
from django.test import Client

from integrations.members.models.membership import Membership
from tests.management.conftest import printed_by
from tests.support import factories
from tests.support.factories import recorded
from tests.support.mailbox import sent_emails
from tests.support.second_factors import with_app, with_recovery_codes

run = partial(printed_by, "reset_second_factor")


def test_it_resets_and_records_in_each_organization_and_tells_the_person(super_admin):
    other = factories.OrganizationFactory.create()
    Membership.objects.create(user=super_admin, organization=other, role=Membership.Role.ADMIN)
    with_app(super_admin)
    with_recovery_codes(super_admin)
    client = Client()
    client.force_login(super_admin)
    assert run(super_admin.username, "--reason", "Called back.") == f"reset {super_admin}\n"
    assert not Authenticator.objects.exists()
    assert client.get("/account/")["Location"].startswith("/accounts/login/")
    assert {entry.actor_name for entry in recorded().all()} == {"reset_second_factor"}
    assert recorded().count() == 2
    assert [message.to for message in sent_emails()] == [[super_admin.email]]
    assert run(super_admin.username, "--reason", "Again.") == f"{super_admin} has no second factor\n"
    assert recorded().count() == 2


@pytest.mark.parametrize(
    ("name", "reason", "words"),
    [("nobody", "x", "There is no user"), ("", "x", "no user"), ("known", " ", "Give a reason")],
)
def test_what_can_not_be_done_is_an_error_with_the_fix(db, name, reason, words):
    factories.UserFactory.create(username="known")
    with pytest.raises(CommandError, match=words):
        run(name, "--reason", reason)
