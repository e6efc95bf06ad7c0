"""The pretend clock."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from integrations.store import database
from portal.devtools.clock import PretendClock


@pytest.mark.django_db(transaction=True)
def test_the_databases_time_is_queried_again_when_the_pretend_clock_has_ended(monkeypatch) -> None:
    monkeypatch.setattr(database, "_uptime", lambda: 1.0)  # a machine that was just started
    monkeypatch.setattr(database, "_last_reading", None)  # puts the real one back at the end
    connection.close()
    with PretendClock() as clock:
        assert abs(database.now() - clock.now()) < timedelta(minutes=1)
    connection.close()

    assert abs(database.now() - datetime.now(UTC)) < timedelta(minutes=1)
