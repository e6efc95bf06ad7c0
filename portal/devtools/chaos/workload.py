"""The plan of a run with faults: which candidates there are, and their moves in order."""

import random
from dataclasses import dataclass, field

from portal.devtools.chaos import tenants
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.tenants import OTHER, SECOND_TRIGGER, TRIGGER

#: Sequences of stages by weight; each stage is one event.
STAGE_SEQUENCES: dict[tuple[str, ...], int] = {
    (TRIGGER,): 80,
    (TRIGGER, OTHER, TRIGGER): 6,  # left and came back: still one invitation
    (TRIGGER, SECOND_TRIGGER): 5,  # another stage that names the same assessment
    (TRIGGER, OTHER): 5,  # may or may not have been invited in between
    (OTHER,): 4,
}
#: What an invited candidate does in CodeScreen, visit by visit, by weight; some stop midway.
VISITS: dict[tuple[tuple[str, ...], ...], int] = {
    (): 70,
    (("start",),): 4,
    (("start",), ("submit",)): 4,
    (("start",), ("submit", "evaluate")): 12,
    (("start", "submit", "evaluate"),): 10,
}


@dataclass
class Candidate:
    """One candidate of the run."""

    organization: str
    email: str
    stages: tuple[str, ...]
    visits: list[tuple[str, ...]]
    score: int
    opportunity: str = ""


@dataclass
class Workload:
    """Every candidate, and their moves in the order in which they happen."""

    candidates: list[Candidate] = field(default_factory=list)
    moves: list[tuple[Candidate, str]] = field(default_factory=list)

    @property
    def events(self) -> int:
        """How many stage changes there are."""
        return len(self.moves)


def plan_workload(options: Options) -> Workload:
    """Return the workload of a seed: exactly `events` moves, each candidate's own in order."""
    chance = random.Random(options.seed)  # noqa: S311
    slugs = tenants.slugs(options.organizations)
    counts = dict.fromkeys(slugs, 0)
    workload, events_left, timed_moves = Workload(), options.events, []
    while events_left:
        stages = chance.choices(list(STAGE_SEQUENCES), list(STAGE_SEQUENCES.values()))[0][:events_left]
        slug = chance.choice(slugs)
        counts[slug] += 1
        visits = list(chance.choices(list(VISITS), list(VISITS.values()))[0])
        email = tenants.email(slug, counts[slug])
        candidate = Candidate(slug, email, stages, visits, chance.randint(0, 100))
        workload.candidates.append(candidate)
        moments = sorted(chance.random() for _ in stages)
        timed_moves += [(at, candidate, stage) for at, stage in zip(moments, stages, strict=True)]
        events_left -= len(stages)
    timed_moves.sort(key=lambda move: move[0])
    workload.moves = [(candidate, stage) for _, candidate, stage in timed_moves]
    return workload
