"""The proof at every point, as a person starts it."""

import pytest

from portal.devtools.chaos.every_point.job import JOBS
from tests.devtools.chaos.runs import run_every_point


@pytest.mark.slow
def test_no_promise_breaks_when_a_process_is_killed_at_any_place_of_the_invitation() -> None:
    [part] = run_every_point("--job", "invitation", "--fault", "killed")["parts"].values()
    assert part["failed"] == {}
    assert part["counts"]["call"] > 5
    assert part["counts"]["commit"] > 20
    assert part["runs"] == 1 + 2 * len(part["places"])


@pytest.mark.slow
@pytest.mark.parametrize("account", [(), ("--idempotency",)])
def test_no_promise_breaks_when_an_answer_is_lost_at_any_call_of_the_main_job(account) -> None:
    [part] = run_every_point("--job", "main", "--fault", "timeout-after", *account)["parts"].values()
    assert part["failed"] == {}
    assert part["runs"] == len(part["places"]) - part["counts"]["commit"] + len(JOBS["main"])
