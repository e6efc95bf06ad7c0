"""The steps of the jobs: what the platforms, the portal and people do, and what has to be true after each."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ProgressTag
from integrations.invitations.models.invitation import Invitation
from portal.devtools.chaos.every_point.world import INVITED_TAG, Expected, World

Status = Invitation.Status
PASSED_TAG, FAILED_TAG = "Passed Backend", "Failed Backend"
#: What CodeScreen states of a solution.
PASSED: Mapping[str, object] = {"score": 90, "result": "Passed"}
FAILED: Mapping[str, object] = {"score": 40, "result": "Failed", "reason": "Unit Tests"}

type Phase = Callable[[World], None]
#: Phases about one thing: in a run those that follow are done too, no other chain.
type Chain = tuple[Phase, ...]


def expect(world: World, word: str, **changes: object) -> None:
    """Change what is expected of a candidate."""
    world.expected[word] = replace(world.expected[word], **changes)  # type: ignore[arg-type]


def invited(world: World, *words: str, verdict: str = VerdictCode.INVITE, **changes: object) -> None:
    """Expect that each of these candidates is invited once."""
    for word in words:
        world.expected[word] = Expected((verdict,), 1, (Status.INVITED,), INVITED_TAG)
        expect(world, word, **changes)


def move(world: World, *words: str) -> None:
    """A recruiter moves candidates to the stage, and all is worked."""
    world.move(*words)
    world.rest()


def invite(world: World, *words: str, **changes: object) -> None:
    """Candidates enter the stage and are invited."""
    invited(world, *words, **changes)  # type: ignore[arg-type]
    move(world, *words)


def skip(world: World) -> None:
    """A candidate without an address enters the stage: a note says so."""
    world.expected["Nyssa"] = Expected((VerdictCode.NO_EMAIL,), notes=frozenset({1}))
    move(world, "Nyssa")


def start(world: World, word: str) -> None:
    """An invited candidate starts."""
    expect(world, word, statuses=(Status.IN_PROGRESS,), tags=frozenset({ProgressTag.IN_PROGRESS}))
    world.candidate_does(word, "start")
    world.rest_after_polls(word)


def evaluate(
    world: World,
    word: str,
    stated: Mapping[str, object] = PASSED,
    actions: tuple[str, ...] = ("start", "submit", "evaluate"),
    **changes: object,
) -> None:
    """A candidate does the assessment, and CodeScreen states a result: Lever has it, with a tag and a rating."""
    completed(world, word, stated, **changes)
    world.candidate_does(word, *actions, **stated)
    world.rest_after_polls(word)


def completed(world: World, word: str, stated: Mapping[str, object], **changes: object) -> None:
    """Expect this candidate's result in Lever."""
    has_passed = stated is PASSED
    feedback = {
        "CodeScreen score": str(stated["score"]),
        "Result": str(stated["result"]),
        "Failure reason": str(stated.get("reason", "")),
        "Rating": "4" if has_passed else "2",
    }
    tags = frozenset({ProgressTag.COMPLETED, PASSED_TAG if has_passed else FAILED_TAG})
    expect(world, word, statuses=(Status.COMPLETED,), tags=tags, feedback=feedback, **changes)
