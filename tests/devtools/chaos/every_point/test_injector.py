"""Faults at the database's connection."""

from unittest import mock

import pytest
from django.db import OperationalError, connection, transaction

from integrations.organizations.models.organization import Organization
from portal.devtools.chaos.every_point.faults import Fault, FaultKind
from portal.devtools.chaos.every_point.injector import Happened, Injector, Killed
from portal.devtools.clock import PretendClock
from tests.support.factories import OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock():
    connection.close()
    with PretendClock() as clock:
        yield clock
    connection.close()


@pytest.fixture
def injector(clock):
    injector = Injector(clock)
    with injector.installed():
        yield injector


def rename_in_transaction(slug: str) -> None:
    with transaction.atomic():
        Organization.objects.filter(slug=slug).update(name="Renamed")


def only_commit(injector, slug: str) -> str:
    """Return the label that the next commit of the same function will have."""
    with injector.watching():
        rename_in_transaction(slug)
    [place] = injector.trace.places
    Organization.objects.filter(slug=slug).update(name="Before")
    return place.label.replace("#1", "#2")


@pytest.mark.parametrize(
    ("kind", "name"), [(FaultKind.KILLED_BEFORE, "Before"), (FaultKind.KILLED_AFTER, "Renamed")]
)
def test_a_commit_is_lost_when_the_process_is_killed_before_it(injector, kind, name) -> None:
    slug = OrganizationFactory.create().slug
    injector.plan([Fault(only_commit(injector, slug), kind)])
    with pytest.raises(Killed), injector.watching():
        rename_in_transaction(slug)
    connection.close()
    assert Organization.objects.get(slug=slug).name == name


def test_a_killed_process_changes_nothing_more(injector) -> None:
    slug = OrganizationFactory.create().slug
    injector.plan([Fault(only_commit(injector, slug), FaultKind.KILLED_AFTER)])

    def rename_and_go_on() -> None:
        try:
            rename_in_transaction(slug)
        finally:
            Organization.objects.filter(slug=slug).update(name="After its death")

    with pytest.raises(Killed), injector.watching():
        rename_and_go_on()
    connection.close()
    assert Organization.objects.get(slug=slug).name == "Renamed"


def test_the_database_is_back_when_the_clock_has_moved(injector, clock) -> None:
    slug = OrganizationFactory.create().slug
    injector.plan([Fault(only_commit(injector, slug), FaultKind.AWAY_BEFORE)])
    with pytest.raises(OperationalError), injector.watching():
        rename_in_transaction(slug)
    with pytest.raises(OperationalError), injector.watching():
        rename_in_transaction(slug)
    clock.advance(5)
    with injector.watching():
        rename_in_transaction(slug)
    assert Organization.objects.get(slug=slug).name == "Renamed"


def test_a_sending_is_under_way_when_the_process_is_killed_after_the_commit_that_began_it(injector) -> None:
    slug = OrganizationFactory.create().slug
    fault = Fault(only_commit(injector, slug), FaultKind.KILLED_AFTER)
    injector.plan([fault])
    seen = [Happened(fault, was_in_flight, was_refreshing=False) for was_in_flight in (False, True)]
    with mock.patch.object(Happened, "now", side_effect=seen), injector.watching(), pytest.raises(Killed):
        rename_in_transaction(slug)
    assert injector.happened == [seen[-1]]
