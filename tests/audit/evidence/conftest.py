"""An organization with two candidates, and packs that are unpacked and verified on a plain Python."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from integrations.audit.evidence.pack import write_pack
from integrations.audit.evidence.selection import Selection, of_candidate
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import AuditAction, AuditTarget, TargetKind
from integrations.clients.models import ApiCall
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.store import database
from tests.support import factories

ALDER, BIRCH, CEDAR = "opportunity-alder", "opportunity-birch", "opportunity-cedar"


def add_candidate(organization: Organization, opportunity_id: str, name: str) -> None:
    """Store one row of each kind about a candidate, by the one clock that verdicts and audit entries have too."""
    invitation = factories.InvitationFactory.create(
        organization=organization, opportunity_id=opportunity_id, candidate_name=name
    )
    delivery = factories.DeliveryFactory.create(
        organization=organization, opportunity_id=opportunity_id, received_at=database.now()
    )
    claimed = delivery.lease()
    assert claimed is not None
    claimed.decide("invite", f"{name} entered “CodeScreen 🦊”.", invitation)
    factories.CandidateFactory.create(
        organization=organization,
        opportunity_id=opportunity_id,
        name=name,
        delivery=delivery,
        invitation=invitation,
    )
    effect = factories.EffectFactory.create(
        organization=organization, opportunity_id=opportunity_id, invitation=invitation
    )
    ApiCall.objects.create(
        organization=organization,
        effect=effect,
        opportunity_id=opportunity_id,
        platform="lever",
        method="GET",
        path="/x",
        duration_ms=5,
    )
    Result.objects.create(invitation=invitation, score=82, outcome="Passed", created_at=database.now())
    target = AuditTarget(TargetKind.INVITATION, invitation.pk, name)
    audit(
        target,
        "approve",
        AuditAction.APPROVE,
        {"status": ("held", "pending")},
        "Go.",
        organization=organization,
    )


@pytest.fixture
def acme(db):
    organization = factories.OrganizationFactory.create(slug="acme", name="Acme", webhook_key="planted-key-0")
    add_candidate(organization, BIRCH, "Candidate Birch")
    add_candidate(organization, ALDER, "Candidate Alder")
    add_candidate(organization, CEDAR, "Candidate Cedar")
    return organization


@pytest.fixture
def alder(acme):
    return of_candidate(acme, ALDER)


@pytest.fixture
def unpack(tmp_path):
    """Return what packs a selection and returns the folder that it is unpacked into."""

    def pack_and_unpack(selection: Selection) -> Path:
        number = len(list(tmp_path.iterdir()))
        file, folder = tmp_path / f"{number}.zip", tmp_path / f"unpacked-{number}"
        write_pack(selection, file, "evidence")
        with zipfile.ZipFile(file) as archive:
            archive.extractall(folder)
        return folder

    return pack_and_unpack


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows in one file of a pack."""
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def verify(folder: Path, *options: str) -> tuple[int, str]:
    """Run the pack's verifier without the environment's packages; return its exit and what it says."""
    options = options or ("-S",)
    done = subprocess.run(
        [sys.executable, *options, "verify.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr
