"""Several assessments by one mapping: sent together, and the next one after a pass, with a regrade and a move."""

from integrations.catalog.models.role_mapping import RoleMapping
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import ProgressTag
from portal.devtools.chaos.every_point.jobs.job import (
    FAILED_TAG,
    PASSED_TAG,
    Job,
    Phase,
    Status,
    completed,
    evaluate,
    expect,
    invited,
)
from portal.devtools.chaos.every_point.world import World

BESIDE, AFTER = "Frontend Developer", "Data Engineer"
NEXT_STAGE = "On-site interview"


def together(world: World) -> None:
    """The mapping sends two: the candidate gets each link once."""
    RoleMapping.objects.filter(role="Backend Engineer").update(
        also_assessments=[BESIDE], next_assessment=AFTER
    )
    RoleMapping.objects.filter(role="Frontend Engineer").update(
        next_assessment=AFTER, stage_on_pass=NEXT_STAGE
    )
    invited(world, "Alder")
    _expect_verdicts(world, "Alder", 2)
    expect(world, "Alder", statuses=(Status.INVITED, Status.INVITED))
    world.move("Alder")
    world.rest()


def follow(world: World) -> None:
    """Both are passed, about at once: the next one is sent once, and the tag is its own."""
    completed(world, "Alder", score=90, result="Passed", forms=2, files=2)
    _expect_verdicts(world, "Alder", 3)
    done = (Status.COMPLETED, Status.COMPLETED)
    expect(world, "Alder", statuses=(*done, Status.INVITED), tags=frozenset({ProgressTag.INVITED}))
    passed = {"score": 90, "result": "Passed"}
    world.candidate_does("Alder", "start", "submit", "evaluate", assessment=BESIDE, **passed)
    evaluate(world, "Alder", score=90, result="Passed")


def regrade(world: World) -> None:
    """One of the two is no longer passed: what was sent stays, a note says so."""
    tags = frozenset({ProgressTag.INVITED, FAILED_TAG})
    expect(world, "Alder", tags=tags, notes=frozenset({1}))
    world.candidate_does("Alder", "regrade", score=40, result="Failed", reason="Unit Tests")
    world.rest_after_polls("Alder")


def chain(world: World) -> None:
    """Another mapping has a next one alone."""
    invited(world, "Birch")
    world.move("Birch")
    world.rest()
    completed(world, "Birch", score=90, result="Passed")
    _expect_verdicts(world, "Birch", 2)
    statuses = (Status.COMPLETED, Status.INVITED)
    expect(world, "Birch", statuses=statuses, tags=frozenset({ProgressTag.INVITED}))
    evaluate(world, "Birch", score=90, result="Passed")


def move(world: World) -> None:
    """The next one is passed, too: only now the candidate is moved and gets the tag."""
    completed(world, "Birch", score=90, result="Passed", forms=2, files=2, stage=NEXT_STAGE)
    _expect_verdicts(world, "Birch", 2, VerdictCode.NOT_A_TRIGGER_STAGE)
    tags = frozenset({ProgressTag.COMPLETED, PASSED_TAG})
    expect(world, "Birch", statuses=(Status.COMPLETED, Status.COMPLETED), tags=tags)
    passed = {"score": 90, "result": "Passed"}
    world.candidate_does("Birch", "start", "submit", "evaluate", assessment=AFTER, **passed)
    world.rest_after_polls("Birch")


def _expect_verdicts(world: World, word: str, invitations: int, *others: str) -> None:
    expect(world, word, verdicts=(*[VerdictCode.INVITE] * invitations, *others), emails=invitations)


FURTHER = Job(
    "further",
    (
        Phase("together", "Alder", together),
        Phase("next", "Alder", follow),
        Phase("regrade", "Alder", regrade),
        Phase("chain", "Birch", chain),
        Phase("end of chain", "Birch", move),
    ),
)
