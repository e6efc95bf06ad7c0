"""Names looked up in the copies of the platforms' lists, and when a list is read again."""

from datetime import timedelta

import pytest

from integrations.catalog import lists
from integrations.catalog.models import Role, Stage
from integrations.clients import provider
from integrations.core.vocabulary import Category
from integrations.lever.models.connection import LeverConnection
from integrations.store import database
from tests.support.calls import count_calls


@pytest.fixture
def clients(connected_organization):
    return provider.ClientProvider(connected_organization)


@pytest.fixture
def calls_after(connected_organization):
    """Age the copies of Lever's lists, look something up, and return what came out and how many calls it took."""

    def run(age, look_up):
        read_at = database.now() - age
        LeverConnection.objects.update(stages_refreshed_at=read_at, roles_refreshed_at=read_at)
        connected_organization.lever_connection.refresh_from_db()
        before = count_calls()
        return look_up(), count_calls() - before

    return run


FRESH, OLD = timedelta(seconds=30), lists.STAGES_FRESH_FOR + timedelta(seconds=30)


@pytest.mark.parametrize(("age", "calls"), [(FRESH, 0), (OLD, 1)])
def test_a_known_stage_is_read_again_only_when_the_list_is_old(
    connected_organization, sandbox, clients, calls_after, age, calls
):
    stage_id = sandbox.stage_id("CodeScreen Assessment")
    lists.stage_name(connected_organization, stage_id, clients)
    found = calls_after(age, lambda: lists.stage_name(connected_organization, stage_id, clients))
    assert found == ("CodeScreen Assessment", calls)


@pytest.mark.parametrize(("age", "calls"), [(timedelta(0), 0), (FRESH, 1)])
def test_an_unknown_stage_is_read_again_unless_the_list_was_read_just_now(
    connected_organization, clients, calls_after, age, calls
):
    found = calls_after(age, lambda: lists.stage_name(connected_organization, "nothing", clients))
    assert found == ("", calls)


def test_a_stage_is_meant_by_its_id_before_another_ones_name(connected_organization):
    Stage.objects.create(organization=connected_organization, external_id="offer", name="Other", position=90)
    Stage.objects.create(organization=connected_organization, external_id="x", name="Offer", position=91)
    gone = {"organization": connected_organization, "external_id": "y", "name": "Gone"}
    Stage.objects.create(**gone, gone_at=database.now())

    def named(written):
        stages = lists.stages_named_in_copy(connected_organization, written)
        return [stage.external_id for stage in stages if stage.position >= 90]

    assert (named(" offer "), named("OFFER"), named("Gone"), named("")) == (["offer"], ["x"], [], [])


def test_an_unknown_role_is_read_alone(connected_organization, sandbox, clients, calls_after):
    posting = next(iter(clients.lever().postings()))
    Role.objects.all().delete()
    found = calls_after(FRESH, lambda: lists.shown_role(connected_organization, posting.id, clients))
    shown = {(category, value) for category, values in posting.categories.items() for value in values}
    assert found == ((posting.title, shown), 1)
    assert (Category.LOCATION, "Berlin") in shown
    # the next look reads the stored copy
    again = calls_after(FRESH, lambda: lists.shown_role(connected_organization, posting.id, clients))
    assert again == ((posting.title, shown), 0)
    assert Role.objects.get().external_id == posting.id


def test_a_role_that_lever_does_not_show_has_no_title(connected_organization, clients):
    assert lists.shown_role(connected_organization, "00000000-0000-0000-0000-000000000000", clients) == (
        "",
        frozenset(),
    )
    assert lists.shown_role(connected_organization, "", clients) == ("", frozenset())
