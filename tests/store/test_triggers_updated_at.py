"""The time of a row's last change, written by the database."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations.invitations.models.candidate import Candidate
from tests.support import factories

pytestmark = pytest.mark.django_db

LATER = datetime(2099, 1, 1, tzinfo=UTC)


def test_a_row_saved_whole_never_goes_back_in_time(organization):
    """Also where it was changed in the same millisecond, or the clock was set back since."""
    candidate = factories.CandidateFactory.create(organization=organization)
    Candidate.objects.filter(pk=candidate.pk).update(updated_at=LATER)
    read = Candidate.objects.get(pk=candidate.pk)
    before = read.updated_at
    read.outcome = "Passed"
    read.updated_at = before + timedelta(milliseconds=1)
    read.save()
    changed = Candidate.objects.get(pk=candidate.pk)
    assert changed.outcome == "Passed"
    assert changed.updated_at >= before
