"""What the ingest run sends, which answers it allows, and its figures."""

from collections import Counter

import pytest

from integrations.lever.payloads import dedupe_key, matching_token
from portal.devtools.chaos.environment import Interrupted, Interruption
from portal.devtools.chaos.ingest_run import (
    Answers,
    RedisTurn,
    make_stage_change,
    percentiles,
    rate_during_outages,
    recovery_times,
)
from portal.devtools.chaos.verification import longest_recovery


def test_recovery_lasts_until_the_next_finished_piece_of_work() -> None:
    interruptions = [
        Interruption(Interrupted.WORKERS, 10.0),
        Interruption(Interrupted.WEB, 20.0),
        Interruption(Interrupted.WORKERS, 90.0),
    ]
    assert longest_recovery(interruptions, [5.0, 11.0, 24.5, 30.0]) == (4.5, "web at 00:00:20")


def test_a_recovery_time_begins_when_the_database_is_back() -> None:
    interruptions = [
        Interruption(Interrupted.WEB, 10.0),
        Interruption(Interrupted.DATABASE_RESTART, 20.0, 23.0),
        Interruption(Interrupted.DATABASE, 90.0, 90.0),
    ]
    assert recovery_times(interruptions, [5.0, 21.0, 23.5, 30.0]) == [0.5]


def test_the_rate_without_redis_is_compared_turn_by_turn() -> None:
    accepted_at = [at / 10 for at in range(100)] + [10 + at / 5 for at in range(50)] + [20.0, 20.1, 20.2]
    one_turn = [RedisTurn(0.0, 10.0, 20.0)]
    assert rate_during_outages(one_turn, accepted_at) == pytest.approx(0.5, abs=0.02)
    turns = [RedisTurn(0.0, 5.0, 10.0), *one_turn, RedisTurn(0.0, 2.0, 4.0)]
    assert rate_during_outages(turns, accepted_at) == pytest.approx(1.0, abs=0.05)
    assert rate_during_outages([], accepted_at) is None


def test_percentiles_are_times_within_which_a_share_was_answered() -> None:
    assert percentiles([at / 1000 for at in range(1, 1001)]) == {50: 0.5, 99: 0.99, 100: 1.0}
    assert percentiles([]) == {50: 0.0, 99: 0.0, 100: 0.0}


def test_only_some_answers_are_allowed_while_processes_are_killed() -> None:
    answers = Answers(others=Counter({"503": 9, "broken connection": 4, "500": 2, "ReadTimeout": 1}))
    assert answers.not_allowed == {"500": 2, "ReadTimeout": 1}


def test_each_stage_change_is_new_and_rightly_signed() -> None:
    first, second = (make_stage_change("token", "stage") for _ in range(2))
    assert dedupe_key(first) != dedupe_key(second)
    assert matching_token(first, ["other", "token"]) == "token"
