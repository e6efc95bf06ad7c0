"""The main job: invitation, skip with a note, progress, result, regrade, withdrawal, send again, sweep, approve."""

from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ProgressTag
from integrations.organizations.acts import set_policies
from portal.devtools.chaos.every_point.jobs.job import Job, Phase, Status, completed, expect, invited
from portal.devtools.chaos.every_point.world import PERSON, Expected, World


def invite(world: World) -> None:
    """A candidate enters the stage and is invited."""
    invited(world, "Alder")
    world.move("Alder")
    world.rest()


def skip(world: World) -> None:
    """A candidate without an address enters the stage: a note says so."""
    world.expected["Nyssa"] = Expected((VerdictCode.NO_EMAIL,), notes=frozenset({1}))
    world.move("Nyssa")
    world.rest()


def progress(world: World) -> None:
    """The candidate starts."""
    expect(world, "Alder", statuses=(Status.IN_PROGRESS,), tags=frozenset({ProgressTag.IN_PROGRESS}))
    world.candidate_does("Alder", "start")
    world.rest_after_polls("Alder")


def result(world: World) -> None:
    """CodeScreen evaluates the solution."""
    completed(world, "Alder", score=40, result="Failed", reason="Unit Tests")
    world.candidate_does("Alder", "submit", "evaluate", score=40, result="Failed", reason="Unit Tests")
    world.rest_after_polls("Alder")


def regrade(world: World) -> None:
    """CodeScreen changes the result."""
    completed(world, "Alder", score=90, result="Passed")
    world.candidate_does("Alder", "regrade", score=90, result="Passed")
    world.rest_after_polls("Alder")


def withdraw(world: World) -> None:
    """A person withdraws an invitation; what the candidate then does in CodeScreen isn't followed."""
    invited(world, "Birch")
    expect(world, "Birch", statuses=(Status.WITHDRAWN,), notes=frozenset({1}))
    world.move("Birch")
    world.rest()
    world.press("Birch", "cancel", Status.INVITED, Status.PENDING)
    world.candidate_does("Birch", "start", "submit", "evaluate", score=70, result="Passed")
    world.rest_after_polls("Birch")


def send_again(world: World) -> None:
    """CodeScreen refuses an invitation, and a person sends it again."""
    invited(world, "Cedar")
    expect(world, "Cedar", notes=frozenset({0, 1}))  # that it couldn't be sent
    world.codescreen_refuses("POST", "/api/assessments$")
    world.move("Cedar")
    world.rest()
    world.press("Cedar", "send-again", Status.FAILED)
    world.rest()


def approve(world: World) -> None:
    """The bulk limit holds an invitation, and a person approves it."""
    invited(world, "Dogwood", verdict=VerdictCode.HELD_FOR_APPROVAL)
    set_policies(world.organization, {"bulk_limit": 1, "bulk_window": 1440}, PERSON)
    world.move("Dogwood")
    world.rest()
    world.approve("Dogwood")
    world.rest()


def sweep(world: World) -> None:
    """Lever's webhook about a candidate is lost, and the sweep takes in what was missed."""
    invited(world, "Elm")
    world.platforms.lever_does("settings", webhooks_enabled=False)
    world.move("Elm")
    world.platforms.lever_does("settings", webhooks_enabled=True)
    world.sweep()
    world.rest()


INVITE = Phase("invitation", "Alder", invite)
MAIN = Job(
    "main",
    (
        INVITE,
        Phase("skip", "Nyssa", skip),
        Phase("progress", "Alder", progress),
        Phase("result", "Alder", result),
        Phase("regrade", "Alder", regrade),
        Phase("withdrawal", "Birch", withdraw),
        Phase("send again", "Cedar", send_again),
        Phase("sweep", "Elm", sweep),
        Phase("approve", "Dogwood", approve),
    ),
)
#: The invitation alone: few places, so that every pair of faults can be tried.
INVITATION = Job("invitation", (INVITE,))
