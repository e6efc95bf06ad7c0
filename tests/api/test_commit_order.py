"""What is committed late, with an earlier time, isn't missed by who asks from `updated_until` on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.invitations.models.candidate import Candidate
from integrations.store.triggers import LONGEST_TRANSACTION
from tests.support import append_only, factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_change_that_is_committed_after_the_reading_is_told_the_next_time(read, organization):
    """Also where it is earlier than all that the reading told of."""
    late = factories.CandidateFactory.create(organization=organization)
    page = read("candidates/").json()
    Candidate.objects.filter(pk=late.pk).update(outcome="Passed")
    begun = timezone.now() - LONGEST_TRANSACTION + timedelta(seconds=5)
    append_only.overwrite(Candidate.objects.filter(pk=late.pk), updated_at=begun)
    [told] = read("candidates/", updated_since=page["updated_until"]).json()["results"]
    assert told["outcome"] == "Passed"


def test_a_row_that_is_saved_as_it_was_read_long_ago_counts_as_changed(read, organization):
    candidate = factories.CandidateFactory.create(organization=organization)
    stale = Candidate.objects.get(pk=candidate.pk)
    Candidate.objects.filter(pk=candidate.pk).update(outcome="Passed")
    changed = Candidate.objects.get(pk=candidate.pk).updated_at
    stale.save()
    assert Candidate.objects.get(pk=candidate.pk).updated_at >= changed > stale.updated_at
