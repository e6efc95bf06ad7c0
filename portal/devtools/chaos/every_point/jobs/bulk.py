"""Many candidates at once: Lever's list is read for all of them, the bulk limit holds some, people act on many."""

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.core.verdict_code import VerdictCode
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.acts.policies import set_policies
from portal.devtools.chaos.every_point.jobs.job import Job, Phase, Status, completed, expect, invited
from portal.devtools.chaos.every_point.world import INVITED_TAG, PERSON, Expected, World, word_of

MOVED = (
    "Alder",
    "Birch",
    "Cedar",
    "Dogwood",
    "Elm",
    "Fir",
    "Ivy",
    "Juniper",
    "Oak",
    "Sequoia",
    "Olive",
    "Tamarack",
)
LIMIT = 9
ACT = "1" * 12
FINISHED = ("Alder", "Birch", "Cedar")


def move(world: World) -> None:
    """A recruiter moves a dozen candidates at once: the limit holds those who come last."""
    set_policies(world.organization, {"bulk_limit": LIMIT, "bulk_window": 1440}, PERSON)
    world.move(*MOVED)
    world.rest()
    _expect_as_decided(world)
    if len(_held()) != len(MOVED) - LIMIT:
        world.violations.append(f"{len(_held())} invitations are on hold, not {len(MOVED) - LIMIT}")


def take_back(world: World) -> None:
    """A person lets those on hold be sent, and takes it back before it begins."""
    held = _held()
    rows = [str(row.pk) for row in held]
    world.press_once("/candidates/bulk/", act="send", row=rows, id=ACT)
    world.press_once("/candidates/bulk/undo/", id=ACT)
    world.rest()
    taken_back = AuditEntry.objects.filter(action=AuditAction.TAKE_BACK).values_list("target_id", flat=True)
    for row in held:
        if row.pk not in taken_back:  # it was too late
            expect(world, word_of(row), emails=1, statuses=(Status.INVITED,), tags=INVITED_TAG)


def send(world: World) -> None:
    """A person lets one of those on hold be sent, and refuses the others; one of these is sent after all."""
    held = [word_of(row) for row in _held()]
    if not held:  # they were sent: it was too late to take it back
        return
    sent, *others = held
    world.press(sent, "approve", Status.HELD)
    invited(world, sent, verdict=VerdictCode.HELD_FOR_APPROVAL)
    for word in others:
        world.press(word, "cancel", Status.HELD)
        expect(world, word, statuses=(Status.WITHDRAWN,))
    if others:
        world.press(others[0], "again", Status.WITHDRAWN)
        expect(
            world,
            others[0],
            emails=1,
            statuses=(Status.WITHDRAWN, Status.INVITED),
            tags=INVITED_TAG,
        )
    world.rest()


def results(world: World) -> None:
    """Several candidates finish at the same time."""
    words = [word for word in FINISHED if world.expected[word].emails]
    for word in words:
        completed(world, word, score=90, result="Passed")
        world.candidate_does(word, "start", "submit", "evaluate", score=90, result="Passed")
    world.rest_after_polls(*words)


def _held() -> list[Invitation]:
    return list(Invitation.objects.filter(status=Status.HELD).order_by("pk"))


def _expect_as_decided(world: World) -> None:
    held = {word_of(row) for row in _held()}
    for word in MOVED:
        if word in held:
            world.expected[word] = Expected((VerdictCode.HELD_FOR_APPROVAL,), 0, (Status.HELD,))
        else:
            invited(world, word)


PHASES = (
    Phase("bulk move", "bulk", move),
    Phase("take back", "bulk", take_back),
    Phase("send and refuse", "bulk", send),
)
JOB = Job("bulk", PHASES)
#: The same in the queue's real task: its threads, claims beside each other.
DRAINS_JOB = Job("drains", (PHASES[0], Phase("results", "bulk", results)), in_drains=True)
