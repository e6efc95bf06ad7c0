"""Many at once: moved and approved together; and what people choose and retry."""

from integrations.catalog.models import Assessment
from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.acts import set_policies
from integrations.outbox.models.effect import Effect
from portal.devtools.chaos.every_point.jobs.job import Job, Phase, Status, completed, expect, invited
from portal.devtools.chaos.every_point.world import (
    ASSESSMENT,
    INVITED_TAG,
    PERSON,
    Expected,
    World,
    opportunity_id,
    word_of,
)

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
FINISHED = ("Alder", "Birch", "Cedar")


def move(world: World) -> None:
    """A recruiter moves a dozen candidates at once: the limit holds those who come last."""
    set_policies(world.organization, {"bulk_limit": LIMIT, "bulk_window": 1440}, PERSON)
    world.move(*MOVED)
    world.rest()
    _expect_as_decided(world)
    if len(_held()) != len(MOVED) - LIMIT:
        world.violations.append(f"{len(_held())} invitations are on hold, not {len(MOVED) - LIMIT}")


def send(world: World) -> None:
    """A person lets one of those on hold be sent, and refuses the others; one of these is sent after all."""
    held = [word_of(row) for row in _held()]
    sent, *others = held
    world.approve(sent)
    invited(world, sent, verdict=VerdictCode.HELD_FOR_APPROVAL)
    for word in others:
        world.press(word, "cancel", Status.HELD)
        expect(world, word, statuses=(Status.WITHDRAWN,), notes=frozenset({1}))
    world.press(others[0], "again", Status.WITHDRAWN)
    expect(world, others[0], emails=1, statuses=(Status.WITHDRAWN, Status.INVITED), tags=INVITED_TAG)
    expect(world, others[0], notes=frozenset({1}))  # that it was cancelled
    world.rest()


def results(world: World) -> None:
    """Several candidates finish at the same time."""
    words = [word for word in FINISHED if world.expected[word].emails]
    for word in words:
        completed(world, word, score=90, result="Passed")
        world.candidate_does(word, "start", "submit", "evaluate", score=90, result="Passed")
    if words:  # the polls come hours later: a note in Lever tells of a wait that is so long
        for row in _held():
            expect(world, word_of(row), notes=frozenset({1}))
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
    Phase("send and refuse", "bulk", send),
)
BULK = Job("bulk", PHASES)
#: The same in the queue's real task: its threads, claims beside each other.
DRAINS = Job("drains", (PHASES[0], Phase("results", "bulk", results)), in_drains=True)


def choose(world: World) -> None:
    """A person chooses the assessment of somebody who got none."""
    world.expected["Maple"] = Expected((VerdictCode.AMBIGUOUS_ASSESSMENT,), notes=frozenset({1}))
    world.move("Maple")
    world.rest()
    world.press_while(
        lambda: (
            world.invitation("Maple") is None
            and not Delivery.objects.filter(chosen_at__isnull=False, due_at__isnull=False).exists()
        ),
        lambda: "/candidates/bulk/",
        act="decide",
        row=[str(Candidate.objects.get(opportunity_id=opportunity_id("Maple")).pk)],
        assessment=Assessment.objects.get(name=ASSESSMENT).external_id,
    )
    invited(world, "Maple")
    world.expected["Maple"] = Expected(
        world.expected["Maple"].verdicts, 1, world.expected["Maple"].statuses, INVITED_TAG, frozenset({1})
    )
    world.rest()


def retry(world: World) -> None:
    """Lever refuses a note for good, and a person retries it."""
    world.expected["Nyssa"] = Expected((VerdictCode.NO_EMAIL,), notes=frozenset({1}))
    world.lever_refuses("POST", "/notes$")
    world.move("Nyssa")
    world.rest()
    failed = Effect.objects.filter(state=Effect.State.FAILED).values_list("pk", flat=True).first()
    world.press_while(
        lambda: _has_failed(failed), lambda: "/candidates/bulk/", act="retry", row=[str(failed)]
    )
    world.rest()


def _has_failed(key: int | None) -> bool:
    return key is not None and Effect.objects.filter(pk=key, state=Effect.State.FAILED).exists()


CHOOSE = Job("choose", (Phase("choose", "Maple", choose), Phase("retry", "Nyssa", retry)))
