"""The main job: invitation, progress, result, regrade, skip with a note, withdrawal, send again, sweep, approve."""

from integrations.core.verdict_code import VerdictCode
from integrations.organizations.acts import set_policies
from portal.devtools.chaos.every_point.jobs import job
from portal.devtools.chaos.every_point.jobs.job import (
    FAILED,
    PASSED,
    Status,
    evaluate,
    expect,
    invited,
    move,
)
from portal.devtools.chaos.every_point.world import PERSON, World


def invite(world: World) -> None:
    """A candidate enters the stage and is invited."""
    job.invite(world, "Alder")


def progress(world: World) -> None:
    """The candidate starts."""
    job.start(world, "Alder")


def result(world: World) -> None:
    """CodeScreen evaluates the solution."""
    evaluate(world, "Alder", FAILED, ("submit", "evaluate"))


def regrade(world: World) -> None:
    """CodeScreen changes the result."""
    evaluate(world, "Alder", PASSED, ("regrade",))


def withdraw(world: World) -> None:
    """A person withdraws an invitation; what the candidate then does in CodeScreen isn't followed."""
    job.invite(world, "Birch", statuses=(Status.WITHDRAWN,), notes=frozenset({1}))
    world.press("Birch", "cancel", Status.INVITED, Status.PENDING)
    world.candidate_does("Birch", "start", "submit", "evaluate", **PASSED)
    world.rest_after_polls("Birch")


def send_again(world: World) -> None:
    """CodeScreen refuses an invitation, and a person sends it again."""
    world.codescreen_refuses("POST", "/api/assessments$")
    job.invite(world, "Cedar")
    expect(world, "Cedar", notes=frozenset({0, 1}))  # that it couldn't be sent
    world.press("Cedar", "send-again", Status.FAILED)
    world.rest()


def approve(world: World) -> None:
    """The bulk limit holds an invitation, and a person approves it."""
    set_policies(world.organization, {"bulk_limit": 1, "bulk_window": 1440}, PERSON)
    invited(world, "Dogwood", verdict=VerdictCode.HELD_FOR_APPROVAL)
    move(world, "Dogwood")
    world.approve("Dogwood")
    world.rest()


def sweep(world: World) -> None:
    """Lever's webhook about a candidate is lost, and the sweep takes in what was missed."""
    invited(world, "Elm")
    world.move_unnoticed("Elm")
    world.sweep()
    world.rest()
