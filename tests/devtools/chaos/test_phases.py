"""The phases of a run, and what is said of each."""

import time

from portal.devtools.chaos.phases import Phase, Phases, wrong_answers
from portal.devtools.sandbox.values import JsonObject


def attempt(at: float, status: int | None = 202, error: str = "", duration_ms: int = 10) -> JsonObject:
    return {"at": int(at * 1000), "status": status, "error": error, "duration_ms": duration_ms}


def test_answers_are_counted_in_the_phase_in_which_they_were_asked_for() -> None:
    attempts = [
        attempt(99.9),
        attempt(100.0),
        attempt(101.0, duration_ms=70),
        attempt(105.0, 503),
        attempt(106.0, None, "ReadTimeout", 5000),
        attempt(110.0),
    ]
    counts = {"202": 2, "503": 1, "ReadTimeout": 1, "ms_at_most": 5000}
    assert Phase("cut", 100.0, 110.0).answers(attempts) == counts


def test_a_phase_without_webhooks_has_no_slowest() -> None:
    assert Phase("quiet", 100.0, 110.0).answers([]) == {"ms_at_most": 0}


def test_only_accepted_and_unavailable_are_right_answers() -> None:
    attempts = [attempt(1, status) for status in (200, 202, 503, 500, 502)]
    attempts += [attempt(1, None, "ReadTimeout"), attempt(1, None, "ConnectionError")]
    assert wrong_answers(attempts) == ["500", "502", "ReadTimeout", "ConnectionError"]


def test_phases_are_measured_with_the_time_that_follows() -> None:
    said: list[str] = []
    phases = Phases(said.append)
    with phases.phase("cut", stay=0.05):
        time.sleep(0.01)
    (phase,) = phases
    assert phase.ended - phase.began >= 0.06
    assert said == ["cut: 0.0 s"]
