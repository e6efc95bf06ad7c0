"""Candidates who don't start: the tag says so after some days, another one when following ends, and both go."""

from integrations.core.vocabulary import ProgressTag
from integrations.organizations.acts import set_policies
from integrations.queue import acts as queue_acts
from portal.devtools.chaos.every_point.jobs.job import Status, expect, invite, start
from portal.devtools.chaos.every_point.world import PERSON, World

DAY = 24 * 3600.0
TAGGED_AFTER, ENDS_AFTER = 1, 3  # days; CodeScreen gives more to start


def wait(world: World) -> None:
    """Days pass without a start: the tag says so, but not of who was cancelled before."""
    days = {"not_started_days": TAGGED_AFTER, "no_show_days": ENDS_AFTER}
    set_policies(world.organization, days, PERSON)
    invite(world, "Alder", "Birch", "Cedar")
    world.press("Cedar", "cancel", Status.INVITED, Status.PENDING)
    expect(world, "Cedar", statuses=(Status.WITHDRAWN,), notes=frozenset({1}))
    for word in ("Alder", "Birch"):
        expect(world, word, tags=frozenset({ProgressTag.NOT_STARTED_YET}))
    world.clock.advance(TAGGED_AFTER * DAY)
    world.rest_after_polls("Alder", "Birch")


def start_in_time(world: World) -> None:
    """One of them starts: the usual tag takes its place."""
    start(world, "Alder")


def end_of_following(world: World) -> None:
    """The other one isn't followed any longer: the tag and a note say so."""
    expect(world, "Birch", tags=frozenset({ProgressTag.NOT_STARTED}), notes=frozenset({1}))
    world.clock.advance((ENDS_AFTER - TAGGED_AFTER) * DAY)
    world.rest_after_polls("Birch")


def start_late(world: World) -> None:
    """They start all the same, and a person has CodeScreen asked."""
    start(world, "Birch")
    world.person_does(
        lambda: world.status("Birch") == Status.INVITED,
        lambda: queue_acts.poll_organization(world.organization),
    )
    world.rest()
