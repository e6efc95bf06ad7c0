"""The plan of a run's candidates and their moves."""

from portal.devtools.chaos.load_generator import plan_workload
from portal.devtools.chaos.run import Options


def test_a_workload_has_exactly_the_events_asked_for_and_depends_on_the_seed() -> None:
    first, again, other = (plan_workload(Options(events=500, seed=seed)) for seed in (1, 1, 2))
    assert first.events == 500
    assert [(c.email, s) for c, s in first.moves] == [(c.email, s) for c, s in again.moves]
    assert [(c.email, s) for c, s in first.moves] != [(c.email, s) for c, s in other.moves]


def test_each_candidate_moves_in_the_order_of_their_stages() -> None:
    workload = plan_workload(Options(events=300))
    for candidate in workload.candidates:
        stages = tuple(stage for moved, stage in workload.moves if moved is candidate)
        assert stages == candidate.stages
