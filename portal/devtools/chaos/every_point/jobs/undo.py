"""What people choose for many at once, and take back: inviting who got no assessment, retrying what failed."""

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.catalog.models import Assessment
from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.outbox.models import Effect
from portal.devtools.chaos.every_point.jobs.job import Job, Phase, invited
from portal.devtools.chaos.every_point.world import ASSESSMENT, INVITED_TAG, Expected, World, opportunity_id

ACT, SECOND_ACT, RETRY = "2" * 12, "3" * 12, "4" * 12


def choose_and_take_back(world: World) -> None:
    """A person chooses to invite who got no assessment, and takes it back before it begins."""
    world.expected["Maple"] = Expected((VerdictCode.AMBIGUOUS_ASSESSMENT,), notes=frozenset({1}))
    world.move("Maple")
    world.rest()
    world.press_while(lambda: not _was_chosen(), lambda: "/candidates/bulk/", **_invite(world, ACT))
    world.press_once("/candidates/bulk/undo/", id=ACT)
    world.rest()
    if not AuditEntry.objects.filter(action=AuditAction.TAKE_BACK).exists():  # it was too late
        _expect_invited(world)


def choose(world: World) -> None:
    """A person chooses them again."""
    world.press_while(
        lambda: world.invitation("Maple") is None and not _is_chosen(),
        lambda: "/candidates/bulk/",
        **_invite(world, SECOND_ACT),
    )
    _expect_invited(world)
    world.rest()


def retry_and_take_back(world: World) -> None:
    """Lever refuses a note for good. A person retries it and takes that back; then retries it, and it is left."""
    world.expected["Nyssa"] = Expected((VerdictCode.NO_EMAIL,), notes=frozenset({1}))
    world.lever_refuses("POST", "/notes$")
    world.move("Nyssa")
    world.rest()
    failed = Effect.objects.filter(state=Effect.State.FAILED).values_list("pk", flat=True).first()
    world.press_while(
        lambda: _has_failed(failed) and not AuditEntry.objects.filter(action=AuditAction.RETRY).exists(),
        lambda: "/candidates/bulk/",
        act="retry",
        row=[str(failed)],
        id=RETRY,
    )
    world.press_once("/candidates/bulk/undo/", id=RETRY)
    entries = AuditEntry.objects.filter(target_id=failed, action=AuditAction.TAKE_BACK)
    if (
        _has_failed(failed)
        and not entries.exists()
        and AuditEntry.objects.filter(action=AuditAction.RETRY).exists()
    ):
        world.violations.append("a retry was taken back, and no audit entry says so")
    world.rest()
    world.press_while(lambda: _has_failed(failed), lambda: f"/effects/{failed}/retry/")
    world.rest()


def _invite(world: World, act_id: str) -> dict[str, object]:
    candidate = Candidate.objects.get(opportunity_id=opportunity_id("Maple"))
    return {
        "act": "invite",
        "row": [str(candidate.pk)],
        "chosen": Assessment.objects.get(name=ASSESSMENT).external_id,
        "id": act_id,
    }


def _expect_invited(world: World) -> None:
    invited(world, "Maple")
    world.expected["Maple"] = Expected(
        world.expected["Maple"].verdicts, 1, world.expected["Maple"].statuses, INVITED_TAG, frozenset({1})
    )


def _was_chosen() -> bool:
    return AuditEntry.objects.filter(action=AuditAction.INVITE_CANDIDATE).exists()


def _is_chosen() -> bool:
    return Delivery.objects.filter(chosen_at__isnull=False, due_at__isnull=False).exists()


def _has_failed(key: int | None) -> bool:
    return key is not None and Effect.objects.filter(pk=key, state=Effect.State.FAILED).exists()


JOB = Job(
    "undo",
    (
        Phase("choose and take back", "Maple", choose_and_take_back),
        Phase("choose", "Maple", choose),
        Phase("retry and take back", "Nyssa", retry_and_take_back),
    ),
)
