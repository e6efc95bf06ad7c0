"""What waits: for the end of a pause, a retry, a connection, an Admin who chooses who was there before."""

from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery
from integrations.organizations.acts import set_policies
from integrations.organizations.models.policies import TOLD_AFTER
from integrations.queue.models.duty_run import Duty
from portal.devtools.chaos.every_point.jobs.job import expect, invited, move
from portal.devtools.chaos.every_point.world import EARLIER, PERSON, Expected, World, connect


def pause(world: World) -> None:
    """A person pauses the organization: a stage change waits."""
    world.do_duty(Duty.REFRESH_LEVER_LISTS)  # the stage's name is known then, and nothing else waits
    world.person_does(
        lambda: not world.organization.paused,
        lambda: set_policies(world.organization, {"paused": True}, PERSON),
    )
    world.expected["Alder"] = Expected((VerdictCode.PAUSED,))
    move(world, "Alder")


def note_pause(world: World) -> None:
    """The pause lasts: a note in Lever says so."""
    expect(world, "Alder", notes=frozenset({1}))
    world.clock.advance(2 * TOLD_AFTER.total_seconds())
    world.do_duty(Duty.NOTE_WAITS)


def resume(world: World) -> None:
    """The end of the pause: what waited is decided."""
    invited(world, "Alder", notes=world.expected["Alder"].notes)
    world.press_while(lambda: world.organization.paused, lambda: "/resume/")
    world.rest()


def leave_before_retry(world: World) -> None:
    """CodeScreen asks to send an invitation later, and the candidate leaves the stage meanwhile: nobody is invited."""
    world.codescreen_refuses("POST", "/api/assessments$", status=429)
    world.move("Cedar")
    world.work_once()
    elsewhere = "Phone screen"
    # a fault may let the move come before the decision
    world.expected["Cedar"] = Expected(None, statuses=None, notes=frozenset({0, 1}), stage=elsewhere)
    world.move("Cedar", stage=elsewhere)
    world.rest()


def disconnect(world: World) -> None:
    """A person disconnects Lever: a stage change waits."""
    world.is_disconnected = True
    world.press_while(lambda: world.connection.is_working, lambda: "/settings/lever/disconnect/")
    world.expected["Birch"] = Expected((VerdictCode.DISCONNECTED,))
    move(world, "Birch")


def reconnect(world: World) -> None:
    """Lever is connected again: what waited is decided."""
    invited(world, "Birch")
    world.person_does(lambda: not world.connection.is_working, lambda: connect(world.platforms))
    world.is_disconnected = False
    world.rest()


def offer(world: World) -> None:
    """A sweep finds who stood in the stage before Lever was connected: they are offered, nobody is invited."""
    world.expected[EARLIER] = Expected((VerdictCode.ENTERED_BEFORE,))
    world.sweep()
    world.rest()


def invite_offered(world: World) -> None:
    """A person invites them."""
    invited(world, EARLIER)

    def button() -> str:
        last = Delivery.objects.offered().order_by("-pk").first()
        return f"/deliveries/offered/{last.pk}/invite/" if last else ""

    world.press_while(lambda: Delivery.objects.offered().filter(due_at=None).exists(), button)
    world.rest()
