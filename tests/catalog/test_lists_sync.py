"""The copy of Lever's stages: an empty answer isn't believed at once, and a new name has its time."""

from datetime import timedelta

import pytest

from integrations.catalog import lists
from integrations.catalog.models import Stage
from integrations.clients import provider
from integrations.http.session import PlatformError
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.store import database


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
