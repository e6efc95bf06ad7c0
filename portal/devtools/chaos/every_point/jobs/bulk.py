"""Many at once: moved and approved together; and what people choose and retry."""

from integrations.catalog.models import Assessment
from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.acts import set_policies
from integrations.outbox.models.effect import Effect
from portal.devtools.chaos.every_point.jobs.job import Status, expect, invited, move, skip
from portal.devtools.chaos.every_point.world import (
    ASSESSMENT,
    INVITED_TAG,
    PERSON,
    Expected,
    World,
    opportunity_id,
    word_of,
)

MOVED = [
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
]
LIMIT = 9


def move_together(world: World) -> None:
    """A recruiter moves a dozen candidates at once: the limit holds those who come last."""
    set_policies(world.organization, {"bulk_limit": LIMIT, "bulk_window": 1440}, PERSON)
    move(world, *MOVED)
    invited(world, *MOVED)
    held = _held()
    for word in held:
        world.expected[word] = Expected((VerdictCode.HELD_FOR_APPROVAL,), 0, (Status.HELD,))
    if len(held) != len(MOVED) - LIMIT:
        world.violations.append(f"{len(held)} invitations are on hold, not {len(MOVED) - LIMIT}")


def send_and_refuse(world: World) -> None:
    """A person lets one of those on hold be sent, and refuses the others; one of these is sent after all."""
    sent, *others = _held()
    world.approve(sent)
    invited(world, sent, verdict=VerdictCode.HELD_FOR_APPROVAL)
    for word in others:
        world.press(word, "cancel", Status.HELD)
        # a note says that it was cancelled
        expect(world, word, statuses=(Status.WITHDRAWN,), notes=frozenset({1}))
    world.press(others[0], "again", Status.WITHDRAWN)
    expect(world, others[0], emails=1, statuses=(Status.WITHDRAWN, Status.INVITED), tags=INVITED_TAG)
    world.rest()


def _held() -> list[str]:
    return [word_of(row) for row in Invitation.objects.filter(status=Status.HELD).order_by("pk")]


def choose(world: World) -> None:
    """A person chooses the assessment of somebody who got none."""
    world.expected["Maple"] = Expected((VerdictCode.AMBIGUOUS_ASSESSMENT,), notes=frozenset({1}))
    move(world, "Maple")
    chosen = Delivery.objects.filter(chosen_at__isnull=False, due_at__isnull=False)
    world.press_while(
        lambda: world.invitation("Maple") is None and not chosen.exists(),
        lambda: "/candidates/bulk/",
        act="decide",
        row=[str(Candidate.objects.get(opportunity_id=opportunity_id("Maple")).pk)],
        assessment=Assessment.objects.get(name=ASSESSMENT).external_id,
    )
    expect(
        world, "Maple", verdicts=(VerdictCode.INVITE,), emails=1, statuses=(Status.INVITED,), tags=INVITED_TAG
    )
    world.rest()


def retry(world: World) -> None:
    """Lever refuses a note for good, and a person retries it."""
    world.lever_refuses("POST", "/notes$")
    skip(world)
    failed = Effect.objects.filter(state=Effect.State.FAILED)
    rows = list(map(str, failed.values_list("pk", flat=True)))
    world.press_while(failed.exists, lambda: "/candidates/bulk/", act="retry", row=rows)
    world.rest()
