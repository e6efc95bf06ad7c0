"""The proof at every point, as a person starts it."""

from tests.devtools.chaos.runs import run_every_point


def test_no_promise_breaks_when_a_process_is_killed_at_any_place_of_the_invitation() -> None:
    report = run_every_point("--job", "invitation", "--fault", "killed")
    assert report["failed"] == {}
    assert report["places"]["call"] > 5
    assert report["places"]["commit"] > 25
    assert report["runs"] == 1 + 2 * sum(report["places"].values())
