"""The copies of the platforms' lists: names looked up, when one is read again, what is believed, and trigger stages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.catalog import lists
from integrations.catalog.lists import mapping_index, trigger_policy, trigger_stages
from integrations.catalog.models import Role, RoleMapping, Stage
from integrations.clients import provider
from integrations.core.vocabulary import Category
from integrations.http.session import PlatformError
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
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


# an empty answer isn't believed at once, and a new name has its time


@pytest.fixture
def refresh(connected_organization):
    """Return a function that reads the stages into the copy, as a worker does that starts now."""

    def run():
        organization = Organization.objects.reread(connected_organization.pk)
        lists.refresh_stages(organization, provider.lever_client(organization))

    run()
    return run


def answer_without_stages(sandbox):
    """Let Lever list no stage from now on; return what it listed before."""
    stages, sandbox.account.stages = sandbox.account.stages, {}
    return stages


def test_the_copy_stays_when_lever_lists_no_stage_once(refresh, sandbox):
    before = Stage.objects.live().count()
    stages = answer_without_stages(sandbox)
    for _ in range(2):
        with pytest.raises(PlatformError, match="no stage at all"):
            refresh()
    assert Stage.objects.live().count() == before
    sandbox.account.stages = stages
    refresh()
    assert LeverConnection.objects.get().stages_missing_since is None


def test_an_empty_list_is_believed_when_it_was_confirmed_later(refresh, sandbox):
    answer_without_stages(sandbox)
    with pytest.raises(PlatformError):
        refresh()
    LeverConnection.objects.update(stages_missing_since=database.now() - lists.CONFIRM_EMPTY_AFTER)
    refresh()
    assert not Stage.objects.live().exists()


def test_an_empty_list_is_believed_when_the_copy_is_empty(refresh, sandbox):
    Stage.objects.all().delete()
    answer_without_stages(sandbox)
    refresh()
    assert not Stage.objects.exists()


def test_a_renamed_stage_has_the_times_between_which_it_got_its_name(refresh, sandbox):
    previous = database.now() - timedelta(minutes=5)
    LeverConnection.objects.update(stages_refreshed_at=previous)
    stage_id = sandbox.stage_id("Phone screen")
    sandbox.account.stages[stage_id].text = "CodeScreen call"
    refresh()
    stage = Stage.objects.get(external_id=stage_id)
    assert (stage.former_name, stage.named_after) == ("Phone screen", previous)
    assert stage.named_before is not None
    named_before = stage.named_before
    assert previous < named_before
    refresh()
    stage.refresh_from_db()
    assert (stage.named_after, stage.named_before) == (previous, named_before)


# trigger stages


@pytest.fixture
def acme(db) -> Organization:
    organization = Organization.objects.create(name="Acme", slug="acme")
    for position, name in enumerate(["Take-home", "codescreen Assessment", "Offer", "CodeScreen Old"]):
        Stage.objects.create(
            organization=organization, external_id=f"stage-{position}", name=name, position=position
        )
    Stage.objects.filter(name="CodeScreen Old").update(gone_at=timezone.now())
    RoleMapping.objects.create(organization=organization, role="Engineer", stage="", assessment="Backend")
    RoleMapping.objects.create(organization=organization, role="Nurse", stage="stage-0", assessment="Backend")
    return organization


def test_trigger_stages_are_those_with_the_prefix_and_those_that_a_mapping_names(acme: Organization) -> None:
    assert [stage.name for stage in trigger_stages(acme)] == ["codescreen Assessment", "Take-home"]


def test_mappings_of_other_organizations_count_for_nothing(acme: Organization) -> None:
    globex = Organization.objects.create(name="Globex", slug="globex", stage_prefix="Quiz")
    RoleMapping.objects.create(organization=globex, role="Any", stage="Offer", assessment="Backend")
    assert [rule.role for rule in mapping_index(acme).rules] == ["Engineer", "Nurse"]
    assert not trigger_policy(acme).is_trigger("stage-2", "Offer")
    assert trigger_policy(globex).is_trigger("stage-2", "Offer")
    assert not trigger_policy(globex).is_trigger("stage-1", "codescreen Assessment")
