"""`restored`: what it prints, also when it is run again, and what it refuses."""

from functools import partial

import pytest
from django.core.management import CommandError
from django.db import OperationalError
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from integrations.management.commands import restored
from integrations.organizations.acts import record_restore
from tests.management.conftest import printed_by
from tests.support import factories

run = partial(printed_by, "restored")


def test_what_is_lost_and_what_waited_is_printed_for_each_organization(organization):
    factories.InvitationFactory.create(organization=organization, status="pending")
    other = factories.OrganizationFactory.create()
    since = timezone.now().isoformat()
    lines = run("--since", since).splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith((" ", "Next"))] == sorted(
        [organization.slug, other.slug]
    )
    assert "  1 invitations that waited were possibly sent: for a person" in lines
    assert lines[-1].startswith("Next: start the portal, connect Lever again")
    assert "known already that rows are lost" in run(organization.slug, "--since", since)


def test_times_that_cannot_be_are_an_error_that_names_the_fix_and_the_organization(organization):
    with pytest.raises(CommandError, match="offset from UTC"):
        run(organization.slug, "--since", "2020-01-01")
    with pytest.raises(CommandError, match="2027-01-31"):
        run(organization.slug, "--since", "yesterday")
    other = factories.OrganizationFactory.create()
    with pytest.raises(CommandError) as refused:
        run("--since", "2020-01-01")
    _, *lines = str(refused.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == sorted([organization.slug, other.slug])


@pytest.mark.django_db(transaction=True)
def test_a_restore_is_recorded_when_a_worker_waits_for_the_same_rows(monkeypatch):
    organization = factories.OrganizationFactory.create()
    deadlock = OperationalError("canceling statement")
    deadlock.__cause__ = DeadlockDetected()
    outcomes = iter([deadlock])

    def refuse_once(*args):
        for error in outcomes:
            raise error
        return record_restore(*args)

    monkeypatch.setattr(restored, "record_restore", refuse_once)
    run("--since", timezone.now().isoformat())
    organization.refresh_from_db()
    assert organization.rows_lost_from is not None
