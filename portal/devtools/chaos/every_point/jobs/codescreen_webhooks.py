"""An account with CodeScreen's webhooks: they make answers known sooner, also one that was lost."""

import base64

from integrations.codescreen.acts import save_codescreen_webhook_secret
from integrations.core.vocabulary import ProgressTag
from portal.devtools.chaos.every_point.jobs.job import Job, Phase, Status, completed, expect, invited
from portal.devtools.chaos.every_point.world import PERSON, World

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def invite(world: World) -> None:
    """A candidate is invited; each webhook comes twice."""
    save_codescreen_webhook_secret(world.organization, SECRET, PERSON)
    world.platforms.codescreen_does(
        "settings",
        webhook_url=world.organization.codescreen_webhook_url,
        webhook_secret=SECRET,
        webhook_duplicates=1,
    )
    invited(world, "Alder")
    world.move("Alder")
    world.rest()


def submit(world: World) -> None:
    """The candidate starts and submits."""
    expect(world, "Alder", statuses=(Status.IN_PROGRESS,), tags=frozenset({ProgressTag.IN_PROGRESS}))
    world.candidate_does("Alder", "start")
    world.rest_after_polls("Alder")
    expect(world, "Alder", statuses=(Status.SUBMITTED,))
    world.candidate_does("Alder", "submit")
    world.rest_after_polls("Alder")


def evaluate(world: World) -> None:
    """CodeScreen evaluates, changes the result, and gives another chance."""
    completed(world, "Alder", score=40, result="Failed", reason="Unit Tests")
    world.candidate_does("Alder", "evaluate", score=40, result="Failed", reason="Unit Tests")
    world.rest_after_polls("Alder")
    completed(world, "Alder", score=90, result="Passed")
    world.candidate_does("Alder", "reopen")
    world.candidate_does("Alder", "submit", "evaluate", score=90, result="Passed")
    world.rest_after_polls("Alder")


JOB = Job(
    "codescreen-webhooks",
    (
        Phase("invitation", "Alder", invite),
        Phase("submission", "Alder", submit),
        Phase("evaluation", "Alder", evaluate),
    ),
)
