"""What is due, kept or taken goes by the database's clock, so that a node whose own clock is off does nothing early."""

import itertools
import re
import time
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from integrations.store import database
from tests.support import product

SKEWS = [timedelta(minutes=-10), timedelta(minutes=10)]
#: What people are shown, and their sessions: nothing is due, kept or taken by it.
SHOWN = ("integrations/pages/", "integrations/accounts/", "portal/templatetags/", "portal/accounts/")
#: Where else this machine's clock is asked, and why.
BY_OWN_CLOCK = {
    "integrations/health/checks/work.py",  # a session that has long been over
    "integrations/health/models.py",  # until when an ongoing incident is shown
    "integrations/http/session.py",  # Retry-After of an answer without a date
    "integrations/inbox/sweep.py",  # the hour, where Lever names no moment
    "integrations/outbox/kinds/feedback.py",  # the moment that Lever shows
}
_OWN_CLOCK = re.compile(r"\b(timezone|datetime)\.(now|utcnow|today)\b|\bdate\.today\b|\btime\.time\b")


@pytest.fixture(params=SKEWS, ids=["behind", "ahead"])
def skewed(request):
    """Shift this process's clock but not the database's. The value is the true time."""
    database.reset_clock()
    true_time = timezone.now()
    with time_machine.travel(true_time + request.param, tick=True):
        yield true_time
    database.reset_clock()


def test_now_is_the_databases_time(db, skewed):
    assert abs((database.now() - skewed).total_seconds()) < 60
    assert abs((timezone.now() - skewed).total_seconds()) > 500


def test_now_queries_the_database_once_a_minute(db, django_assert_num_queries, monkeypatch):
    database.reset_clock()
    with django_assert_num_queries(1):
        moments = [database.now() for _ in range(3)]
    assert all(earlier <= later for earlier, later in itertools.pairwise(moments))
    monkeypatch.setattr(database, "QUERY_AGAIN_SECONDS", 0.0)
    with django_assert_num_queries(1):
        database.now()


def test_now_queries_the_database_again_when_the_machine_was_suspended(
    db, django_assert_num_queries, monkeypatch
):
    database.reset_clock()
    suspended_seconds = [0.0]
    clock_gettime = time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda kind: clock_gettime(kind) + suspended_seconds[0])
    database.now()
    suspended_seconds[0] = 7200.0  # CLOCK_MONOTONIC doesn't count suspended time
    with django_assert_num_queries(1):
        database.now()


@pytest.mark.slow
def test_now_keeps_no_reading_that_took_long(db, monkeypatch):
    database.reset_clock()
    monkeypatch.setattr(database, "PROMPT_SECONDS", 1.0)
    query, delays = database._query, [1.2, 0.0]

    def query_slowly():
        time.sleep(delays.pop(0))
        return query()

    monkeypatch.setattr(database, "_query", query_slowly)
    database.now()
    assert abs((database.now() - timezone.now()).total_seconds()) < 1
    assert delays == []


def test_nothing_but_what_people_are_shown_goes_by_this_machines_clock():
    asked = {name for name, source in product.sources().items() if _OWN_CLOCK.search(source)}
    others = {name for name in asked if not name.startswith(SHOWN)}
    assert others == BY_OWN_CLOCK, "use integrations.store.database.now(), which all nodes share"
