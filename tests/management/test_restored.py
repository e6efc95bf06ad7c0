"""`restored`: what it prints, also when it is run again, and what it refuses."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests import factories


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("restored", *arguments, stdout=out)
    return out.getvalue()


def test_what_is_lost_and_what_waited_is_printed_for_each_organization(organization):
    factories.InvitationFactory.create(organization=organization, status="pending")
    other = factories.OrganizationFactory.create()
    since = timezone.now().isoformat()
    lines = run("--since", since).splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith((" ", "Next"))] == sorted(
        [organization.slug, other.slug]
    )
    assert "  1 invitations that waited may have been sent: uncertain, for a person" in lines
    assert lines[-1].startswith("Next: start the portal, connect Lever again")
    assert "known already that rows are lost" in run(organization.slug, "--since", since)


def test_times_that_cannot_be_are_an_error_with_the_fix(organization):
    with pytest.raises(CommandError, match="offset from UTC"):
        run(organization.slug, "--since", "2020-01-01")
    with pytest.raises(CommandError, match="2027-01-31"):
        run(organization.slug, "--since", "yesterday")
