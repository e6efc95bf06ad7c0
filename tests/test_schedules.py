"""Every schedule runs as it is written: the queue would only log that one can't."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.module_loading import import_string

from integrations import upkeep
from integrations.models import Assessment, CodeScreenConnection, LeverConnection, Role, Stage


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


def test_the_lists_of_one_organization_are_read_and_an_untried_key_is_proved(linked) -> None:
    upkeep.refresh_lists(linked.pk)
    for model in (Stage, Role, Assessment):
        assert model.objects.live().filter(organization=linked).exists(), model
    assert CodeScreenConnection.objects.get(organization=linked).verified_at


def test_a_refused_key_is_marked_while_the_lists_are_read(linked) -> None:
    CodeScreenConnection.objects.get(organization=linked).delete()
    CodeScreenConnection.objects.create(organization=linked, api_key="not-the-key")
    upkeep.refresh_lists(linked.pk)
    assert CodeScreenConnection.objects.get(organization=linked).state == CodeScreenConnection.State.REFUSED
    assert Stage.objects.live().filter(organization=linked).exists()


def test_reading_the_lists_of_an_unconnected_organization_changes_nothing(organization) -> None:
    upkeep.refresh_lists(organization.pk)
    assert not Stage.objects.exists()
