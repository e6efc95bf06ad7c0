"""An organization with past decisions."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.catalog.models.platform_lists import Assessment
from integrations.invitations.models.candidate import Candidate
from integrations.organizations.models.organization import Organization
from tests.support.past_decisions import decide_about


@pytest.fixture
def decided(ready_organization) -> Organization:
    """An organization that has decided about two Backend Engineers and a Designer, who got no assessment."""
    Assessment.objects.create(organization=ready_organization, external_id="design", name="Design")
    for minutes, (word, role) in enumerate(
        [("Alder", "Backend Engineer"), ("Birch", "Designer"), ("Cedar", "Backend Engineer")]
    ):
        at = timezone.now() - timedelta(minutes=30 - minutes)
        decide_about(ready_organization, f"opportunity-{word.lower()}", role, at)
        Candidate.objects.create(
            organization=ready_organization,
            opportunity_id=f"opportunity-{word.lower()}",
            name=f"Candidate {word}",
            role_title=role,
            entered_at=at,
        )
    return ready_organization
