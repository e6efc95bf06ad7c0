"""Candidates who wait for the send window, need extra time, are sent at once, leave meanwhile, or see it changed."""

from integrations.core.rules.send_window import DAYS
from integrations.core.verdict_code import VerdictCode
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.acts import set_policies
from portal.devtools.chaos.every_point.jobs.job import Job, Phase, Status, invited
from portal.devtools.chaos.every_point.platforms import ACCOUNT
from portal.devtools.chaos.every_point.world import PERSON, Expected, World, opportunity_id

TAG, OPENS, CLOSES = "Accommodation", 18, 20
WINDOW = {"send_from": f"{OPENS}:00", "send_until": f"{CLOSES}:00", "send_days": list(DAYS)}
#: Who may be sent the assessment at another time.
AT_ANY_TIME = ("Cedar", "Elm")


def wait(world: World) -> None:
    """A candidate enters the stage in the morning: they are invited in the evening."""
    world.person_does(
        lambda: not world.organization.send_from,
        lambda: set_policies(world.organization, {**WINDOW, "hold_tag": TAG}, PERSON),
    )
    world.promises.append(_sent_in_the_window)
    invited(world, "Alder")
    world.move("Alder")
    world.rest()


def hold(world: World) -> None:
    """A candidate who needs extra time is held; once a person approves, they wait for the window too."""
    _window_closes(world)
    world.platforms.lever.accounts[ACCOUNT].opportunities[opportunity_id("Birch")].tags.append(TAG)
    world.expected["Birch"] = Expected((VerdictCode.HELD_FOR_APPROVAL,), statuses=(Status.HELD,))
    world.move("Birch")
    world.rest()
    invited(world, "Birch", verdict=VerdictCode.HELD_FOR_APPROVAL)
    world.approve("Birch")
    world.rest()


def send_now(world: World) -> None:
    """A person doesn't let a candidate wait."""
    _window_closes(world)
    invited(world, "Cedar")
    world.move("Cedar")
    world.work_once()

    def waits() -> bool:
        row = world.invitation("Cedar")
        return row is not None and row.waits_for_window

    world.press_while(waits, lambda: world.button("Cedar", "send-now"))
    world.rest()


def leave(world: World) -> None:
    """A candidate leaves the stage while they wait: nobody is invited."""
    _window_closes(world)
    elsewhere = "Phone screen"
    world.move("Dogwood")
    world.work_once()
    # a fault may let the move come before the decision
    world.expected["Dogwood"] = Expected(None, statuses=None, stage=elsewhere)
    world.move("Dogwood", stage=elsewhere)
    world.rest()


def change(world: World) -> None:
    """A person takes the window away while a candidate waits: they are invited now."""
    _window_closes(world)
    invited(world, "Elm")
    world.move("Elm")
    world.work_once()
    no_window = {"send_from": "", "send_until": "", "send_days": []}
    world.person_does(
        lambda: bool(world.organization.send_from),
        lambda: set_policies(world.organization, no_window, PERSON),
    )
    world.rest()


def _window_closes(world: World) -> None:
    """Let time pass until the window has closed."""
    now = world.clock.now()
    if now.hour >= OPENS:
        world.clock.move_to(now.replace(hour=CLOSES, minute=30))


def _sent_in_the_window() -> list[str]:
    """Return who was invited outside the window."""
    found = Invitation.objects.exclude(opportunity_id__in=map(opportunity_id, AT_ANY_TIME))
    times = found.values_list("opportunity_id", "invited_at")
    return [
        f"{opportunity} was invited at {at:%H:%M}, outside the send window"
        for opportunity, at in times
        if at is not None and not OPENS <= at.hour < CLOSES
    ]


SEND_WINDOW = Job(
    "window",
    (
        Phase("wait", "wait", wait),
        Phase("extra time", "extra time", hold),
        Phase("send now", "send now", send_now),
        Phase("leave", "leave", leave),
        Phase("change", "change", change),
    ),
)
