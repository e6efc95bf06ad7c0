"""An organization with rows that commands act on, what a command prints, and `configure` with a file."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from tests.support import factories


def printed_by(*command: str) -> str:
    """Run a command; return what it prints on standard output."""
    out = StringIO()
    call_command(*command, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def acme(db) -> Organization:
    return factories.OrganizationFactory.create(name="Acme", slug="acme")


@pytest.fixture
def invitation(acme: Organization) -> Invitation:
    return factories.InvitationFactory.create(organization=acme, status="held")


@pytest.fixture
def delivery(acme: Organization) -> Delivery:
    return factories.DeliveryFactory.create(organization=acme)


@pytest.fixture
def configure(tmp_path: Path):
    """The function that runs `configure` with a file of this text, and returns what it prints."""

    def run(text: str | bytes, *options: str) -> str:
        path = tmp_path / "acme.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return printed_by("configure", str(path), *options)

    return run
