"""A job: what the platforms, the portal and people do, in phases, and what has to be true after each."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ProgressTag
from integrations.invitations.models.invitation import Invitation
from portal.devtools.chaos.every_point.world import Expected, World

Status = Invitation.Status
PASSED_TAG, FAILED_TAG = "Passed Backend", "Failed Backend"


@dataclass(frozen=True)
class Phase:
    """One part of a job. Later phases about the same follow in a run; the others don't depend on it."""

    name: str
    about: str
    act: Callable[[World], None]


@dataclass(frozen=True)
class Job:
    """One job. In drains the task's threads take part, in real processes."""

    name: str
    phases: tuple[Phase, ...]
    in_drains: bool = False


def invited(world: World, *words: str, verdict: str = VerdictCode.INVITE) -> None:
    """Expect that each of these candidates is invited once."""
    for word in words:
        world.expected[word] = Expected((verdict,), 1, (Status.INVITED,), frozenset({ProgressTag.INVITED}))


def expect(world: World, word: str, **changes: object) -> None:
    """Change what is expected of a candidate."""
    world.expected[word] = replace(world.expected[word], **changes)  # type: ignore[arg-type]


def completed(world: World, word: str, *, score: int, result: str, reason: str = "", **more: object) -> None:
    """Expect this candidate's result in Lever, with the customer's tag and the rating that follows."""
    tag = {"Passed": PASSED_TAG, "Failed": FAILED_TAG}[result]
    rating = {"Passed": "4", "Failed": "2"}[result]
    expect(
        world,
        word,
        statuses=(Status.COMPLETED,),
        tags=frozenset({ProgressTag.COMPLETED, tag}),
        feedback={
            "CodeScreen score": str(score),
            "Result": result,
            "Failure reason": reason,
            "Rating": rating,
        },
        **more,
    )


def evaluate(world: World, word: str, *, score: int, result: str, reason: str = "") -> None:
    """A candidate does the assessment, and CodeScreen evaluates it."""
    stated = {"reason": reason} if reason else {}
    world.candidate_does(word, "start", "submit", "evaluate", score=score, result=result, **stated)
    world.rest_after_polls(word)
