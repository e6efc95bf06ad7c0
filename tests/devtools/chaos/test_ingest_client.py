"""What the ingest run sends, and which answers it allows."""

from collections import Counter

from integrations.lever.payloads import dedupe_key
from integrations.lever.signature import matching_token
from portal.devtools.chaos.ingest_client import Answers, make_stage_change


def test_only_some_answers_are_allowed_while_processes_are_killed() -> None:
    answers = Answers(others=Counter({"503": 9, "broken connection": 4, "500": 2, "ReadTimeout": 1}))
    assert answers.not_allowed == {"500": 2, "ReadTimeout": 1}


def test_each_stage_change_is_new_and_rightly_signed() -> None:
    first, second = (make_stage_change("token", "stage") for _ in range(2))
    assert dedupe_key(first) != dedupe_key(second)
    assert matching_token(first, ["other", "token"]) == "token"
