"""The main job in phases; after each, workers work until all is quiet and the books are compared with the promises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from integrations.models import Invitation
from integrations.vocabulary import ProgressTag, VerdictCode
from integrations.workflow.operations import invitations
from integrations.workflow.operations.policies import set_policies
from portal.devtools.chaos.every_point.world import PERSON, Expected, World

Status = Invitation.Status
PASSED_TAG, FAILED_TAG = "Passed Backend", "Failed Backend"


@dataclass(frozen=True)
class Phase:
    """One part of the job, about one candidate."""

    name: str
    word: str
    act: Callable[[World], None]


def invite(world: World) -> None:
    """A candidate enters the stage and is invited."""
    world.expected["Alder"] = Expected(
        VerdictCode.INVITE, 1, (Status.INVITED,), frozenset({ProgressTag.INVITED})
    )
    world.move("Alder")
    world.rest()


def skip(world: World) -> None:
    """A candidate without an address enters the stage: a note says so."""
    world.expected["Nyssa"] = Expected(VerdictCode.NO_EMAIL, notes=frozenset({1}))
    world.move("Nyssa")
    world.rest()


def progress(world: World) -> None:
    """The candidate starts."""
    _expect(world, "Alder", statuses=(Status.IN_PROGRESS,), tags=frozenset({ProgressTag.IN_PROGRESS}))
    world.candidate_does("Alder", "start")
    world.rest_after_polls("Alder")


def result(world: World) -> None:
    """CodeScreen evaluates the solution."""
    _expect(
        world,
        "Alder",
        statuses=(Status.COMPLETED,),
        tags=frozenset({ProgressTag.COMPLETED, FAILED_TAG}),
        feedback={
            "CodeScreen score": "40",
            "Result": "Failed",
            "Failure reason": "Unit Tests",
            "Rating": "2",
        },
    )
    world.candidate_does("Alder", "submit", "evaluate", score=40, result="Failed", reason="Unit Tests")
    world.rest_after_polls("Alder")


def regrade(world: World) -> None:
    """CodeScreen changes the result."""
    _expect(
        world,
        "Alder",
        tags=frozenset({ProgressTag.COMPLETED, PASSED_TAG}),
        feedback={"CodeScreen score": "90", "Result": "Passed", "Failure reason": "", "Rating": "4"},
    )
    world.candidate_does("Alder", "regrade", score=90, result="Passed")
    world.rest_after_polls("Alder")


def withdraw(world: World) -> None:
    """A person withdraws an invitation; what the candidate then does in CodeScreen isn't followed."""
    world.expected["Birch"] = Expected(
        VerdictCode.INVITE, 1, (Status.WITHDRAWN,), frozenset({ProgressTag.INVITED})
    )
    world.move("Birch")
    world.rest()

    def is_followed() -> bool:
        row = world.invitation("Birch")
        return row is not None and row.status != Status.WITHDRAWN

    def stop() -> None:
        row = world.invitation("Birch")
        if row is not None:
            invitations.stop_following(row, PERSON)

    world.person_does(is_followed, stop)
    world.candidate_does("Birch", "start", "submit", "evaluate", score=70, result="Passed")
    world.rest_after_polls("Birch")


def send_again(world: World) -> None:
    """CodeScreen refuses an invitation, and a person sends it again."""
    world.expected["Cedar"] = Expected(
        VerdictCode.INVITE, 1, (Status.INVITED,), frozenset({ProgressTag.INVITED}), notes=frozenset({0, 1})
    )
    refusal = {"method": "POST", "path": "/api/assessments$", "kind": "status", "status": 403, "times": 1}
    world.platforms.codescreen_does("faults", seed=1, rules=[refusal])
    world.move("Cedar")
    world.rest()

    def has_failed() -> bool:
        row = world.invitation("Cedar")
        return row is not None and row.status == Status.FAILED

    def press() -> None:
        row = world.invitation("Cedar")
        if row is not None:
            invitations.send_again(row, PERSON)

    world.person_does(has_failed, press)
    world.rest()


def approve(world: World) -> None:
    """The bulk limit holds an invitation, and a person approves it."""
    world.expected["Dogwood"] = Expected(
        VerdictCode.HELD_FOR_APPROVAL, 1, (Status.INVITED,), frozenset({ProgressTag.INVITED})
    )
    set_policies(world.organization, {"bulk_limit": 1, "bulk_window": 1440}, PERSON)
    world.move("Dogwood")
    world.rest()

    def is_held() -> bool:
        row = world.invitation("Dogwood")
        return row is not None and row.status == Status.HELD

    def press() -> None:
        row = world.invitation("Dogwood")
        if row is not None:
            invitations.approve(row, PERSON)

    world.person_does(is_held, press)
    world.rest()


def sweep(world: World) -> None:
    """Lever's webhook about a candidate is lost, and the sweep takes in what was missed."""
    world.expected["Elm"] = Expected(
        VerdictCode.INVITE, 1, (Status.INVITED,), frozenset({ProgressTag.INVITED})
    )
    world.platforms.lever_does("settings", webhooks_enabled=False)
    world.move("Elm")
    world.platforms.lever_does("settings", webhooks_enabled=True)
    world.sweep()
    world.rest()


def _expect(world: World, word: str, **changes: object) -> None:
    world.expected[word] = replace(world.expected[word], **changes)  # type: ignore[arg-type]


INVITATION = (Phase("invitation", "Alder", invite),)
MAIN_JOB = (
    Phase("invitation", "Alder", invite),
    Phase("skip", "Nyssa", skip),
    Phase("progress", "Alder", progress),
    Phase("result", "Alder", result),
    Phase("regrade", "Alder", regrade),
    Phase("withdrawal", "Birch", withdraw),
    Phase("send again", "Cedar", send_again),
    Phase("sweep", "Elm", sweep),
    Phase("approve", "Dogwood", approve),
)
JOBS: Mapping[str, tuple[Phase, ...]] = {"main": MAIN_JOB, "invitation": INVITATION}
