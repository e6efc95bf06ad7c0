"""The same with many candidates, in the queue's real task: its threads, claims beside each other."""

from portal.devtools.chaos.every_point.jobs import bulk
from portal.devtools.chaos.every_point.jobs.job import Job, Phase, completed
from portal.devtools.chaos.every_point.world import World

FINISHED = ("Alder", "Birch", "Cedar")


def results(world: World) -> None:
    """Several candidates finish at the same time."""
    words = [word for word in FINISHED if world.expected[word].emails]
    for word in words:
        completed(world, word, score=90, result="Passed")
        world.candidate_does(word, "start", "submit", "evaluate", score=90, result="Passed")
    world.rest_after_polls(*words)


JOB = Job("drains", (*bulk.PHASES[:1], Phase("results", "bulk", results)), in_drains=True)
