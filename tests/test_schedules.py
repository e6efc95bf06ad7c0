"""Every schedule runs as it is written: the queue would only log that one can't."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.module_loading import import_string

from integrations import upkeep
from integrations.models import LeverConnection


@pytest.mark.parametrize("name", upkeep.SCHEDULES)
def test_every_schedule_runs(name, linked) -> None:
    import_string(name)()


def test_a_grant_is_refreshed_daily(linked) -> None:
    connection = LeverConnection.objects.get(organization=linked)
    before = connection.access_token
    upkeep.keep_alive()
    connection.refresh_from_db()
    assert connection.access_token == before

    LeverConnection.objects.update(
        refreshed_at=timezone.now() - upkeep.KEEP_ALIVE_AFTER - timedelta(minutes=1)
    )
    upkeep.keep_alive()
    connection.refresh_from_db()
    assert connection.access_token != before
    assert connection.refreshed_at is not None
    assert connection.refreshed_at > timezone.now() - timedelta(minutes=1)


def test_a_grant_without_a_refresh_token_is_left_alone(linked) -> None:
    connection = LeverConnection.objects.get(organization=linked)
    connection.refresh_token = ""
    connection.save()
    LeverConnection.objects.update(refreshed_at=timezone.now() - timedelta(days=2))
    upkeep.keep_alive()
    connection.refresh_from_db()
    assert connection.state == LeverConnection.State.CONNECTED
