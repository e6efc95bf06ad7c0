"""An organization with rows that commands act on, and `configure` with a file."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization

STAGE_CHANGE = {"event": "candidateStageChange", "data": {"opportunityId": "o", "toStageId": "stage-1"}}


@pytest.fixture
def acme(db) -> Organization:
    return Organization.objects.create(name="Acme", slug="acme")


@pytest.fixture
def invitation(acme: Organization) -> Invitation:
    return Invitation.objects.create(
        organization=acme,
        opportunity_id="opportunity-1",
        candidate_name="Candidate Alder",
        email="alder@candidates.example",
        assessment_id="backend",
        assessment_name="Backend",
        status="held",
    )


@pytest.fixture
def delivery(acme: Organization) -> Delivery:
    return Delivery.objects.create(
        organization=acme,
        platform="lever",
        event="candidateStageChange",
        dedupe_key="1",
        payload=STAGE_CHANGE,
    )


@pytest.fixture
def configure(tmp_path: Path):
    """The function that runs `configure` with a file of this text, and returns what it prints."""

    def run(text: str | bytes, *options: str, **more: object) -> str:
        path = tmp_path / "acme.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        out = StringIO()
        call_command("configure", str(path), *options, **{"stdout": out} | more)
        return out.getvalue()

    return run
