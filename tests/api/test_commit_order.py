"""What is committed late, with an earlier time, isn't missed by who asks from `updated_until` on."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from integrations.invitations.models.candidate import Candidate
from integrations.store import updated_at
from tests.api.conftest import Read
from tests.support import factories

pytestmark = pytest.mark.django_db(transaction=True)


def apart(read: Read, address: str) -> Any:
    """Return the answer that another thread gets, with a connection of its own."""
    try:
        return read(address)
    finally:
        connection.close()


def test_a_change_that_is_committed_after_the_reading_is_told_the_next_time(read, organization, monkeypatch):
    """Also where it is earlier than all that the reading told of."""
    monkeypatch.setattr(updated_at, "_MARGIN", timedelta(0))
    late = factories.CandidateFactory.create(organization=organization)
    written, may_commit = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                Candidate.objects.filter(pk=late.pk).update(outcome="Passed")
                written.set()
                assert may_commit.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor() as threads:
        writing = threads.submit(write)
        assert written.wait(20)
        if connection.vendor == "sqlite":
            # the reading waits for the one who writes
            reading = threads.submit(apart, read, "candidates/")
            with pytest.raises(TimeoutError):
                reading.result(0.3)
            may_commit.set()
            page = reading.result(20).json()
            assert page["results"][0]["outcome"] == "Passed"
        else:
            other = factories.CandidateFactory.create(organization=organization)
            page = read("candidates/").json()
            assert [row["outcome"] for row in page["results"]] == [None, None]
            may_commit.set()
        writing.result(20)
    told = read("candidates/", updated_since=page["updated_until"]).json()["results"]
    if connection.vendor == "postgresql":
        late.refresh_from_db()
        assert late.updated_at < other.updated_at
        assert late.pk in {row["id"] for row in told}


def test_a_row_that_is_saved_as_it_was_read_long_ago_counts_as_changed(read, organization):
    candidate = factories.CandidateFactory.create(organization=organization)
    stale = Candidate.objects.get(pk=candidate.pk)
    Candidate.objects.filter(pk=candidate.pk).update(outcome="Passed")
    changed = Candidate.objects.get(pk=candidate.pk).updated_at
    stale.save()
    assert Candidate.objects.get(pk=candidate.pk).updated_at >= changed > stale.updated_at
