"""The chaos run's own parts: what it is asked, whom it moves, how it judges; and one tiny run of it all."""

import contextlib
import json
import random
import re
import socket
import subprocess
import sys
import threading
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from integrations.lever.payloads import dedupe_key
from integrations.lever.signature import matching_token
from portal.devtools.chaos import collect, faults, ingest_run, workload
from portal.devtools.chaos.faults import Interruption
from portal.devtools.chaos.options import Options
from portal.devtools.chaos.processes import leaves
from portal.devtools.chaos.proxy import Proxy
from portal.devtools.chaos.table import Table
from portal.devtools.chaos.verify import PROMISES, Evidence, Row, is_ambiguous, judge
from portal.devtools.demo.environment import free_port
from portal.devtools.sandbox.faults import read_rule

ROOT = Path(__file__).resolve().parents[3]
TRIGGER, OTHER = "stage-trigger", "stage-other"


def read(*arguments: str) -> Options:
    parser = ArgumentParser()
    Options.add_to(parser)
    return Options.read(vars(parser.parse_args(arguments)))


# what it is asked


def test_the_defaults_are_a_short_run_with_everything_going_wrong() -> None:
    options = read()
    assert (options.events, options.duplicates, options.faults, options.kill_every) == (200, 0.3, 0.2, 2.0)
    assert options.has_faults


def test_options_are_read() -> None:
    options = read("--events", "50", "--kill-every", "0", "--seed", "7", "--idempotency", "--json")
    assert (options.events, options.kill_every, options.seed) == (50, 0.0, 7)
    assert options.idempotency
    assert options.json
    for run in ("--bulk", "--outage", "--accept", "--wedge", "--forge"):
        assert not read(run, "10").has_faults
    server = ("--database-url", "postgresql://127.0.0.1/x", "--restart-database", "pg_ctl restart")
    assert read(*server).restart_database == "pg_ctl restart"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--faults", "1.5"),
        ("--duplicates", "-0.1"),
        ("--events", "0"),
        ("--organizations", "0"),
        ("--kill-every", "-1"),
        ("--bulk", "5", "--outage", "5"),
        ("--accept", "5", "--wedge", "5"),
        ("--forge", "5", "--wedge", "5"),
        ("--forge", "-1"),
        ("--accept", "-1"),
        ("--restart-database", "pg_ctl restart"),
        ("--database-url", "sqlite:///x"),
        ("--redis-url", "redis://127.0.0.1:6379"),
        ("--redis-away", "5"),
        ("--compare", "--bulk", "5"),
    ],
)
def test_impossible_options_are_refused_with_the_fix(arguments) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(*arguments)


# whom it moves


def test_a_crowd_makes_exactly_the_events_it_is_asked_for_and_each_seed_its_own() -> None:
    first, again, other = (
        workload.gather(read("--events", "500", "--organizations", "3", "--seed", seed))
        for seed in ("1", "1", "2")
    )
    assert first.events == 500
    assert [(c.email, s) for c, s in first.moves] == [(c.email, s) for c, s in again.moves]
    assert [(c.email, s) for c, s in first.moves] != [(c.email, s) for c, s in other.moves]
    assert len({candidate.organization for candidate in first.candidates}) == 3


def test_everybody_moves_in_the_order_of_their_way() -> None:
    gathered = workload.gather(read("--events", "300"))
    for candidate in gathered.candidates:
        stages = tuple(stage for who, stage in gathered.moves if who is candidate)
        assert stages == candidate.stages


# what goes wrong


def test_the_rules_make_the_share_of_calls_go_wrong_that_was_asked_for() -> None:
    chance = random.Random(1)
    rules = [read_rule(rule) for rule in faults.rules(0.2)]
    hits = [
        next((rule.fault for rule in rules if chance.random() < rule.probability), None)
        for _ in range(20_000)
    ]
    wrong = [fault for fault in hits if fault is not None]
    assert 0.18 < len(wrong) / len(hits) < 0.22
    assert 0.4 < sum(fault.kind.is_after for fault in wrong) / len(wrong) < 0.6


def test_faults_spare_the_token_endpoint() -> None:
    assert re.search(faults.API, "/v1/opportunities")
    assert re.search(faults.API, "/api/assessments")
    assert not re.search(faults.API, "/oauth/token")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("status_429:no_effect", False),
        ("status_503:no_effect", False),
        ("status_500:no_effect", True),
        ("status_after_502:took_effect", True),
        ("reset_before:no_effect", True),
        ("truncated:took_effect", True),
        ("delay:took_effect", False),
    ],
)
def test_a_fault_is_ambiguous_when_the_caller_cannot_know(name, expected) -> None:
    assert is_ambiguous(name) is expected


def test_a_server_is_away_while_the_proxy_before_it_is_cut() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Proxy(free_port(), server.getsockname()) as proxy:
        threading.Thread(target=echo, args=[server], daemon=True).start()
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
            assert said_back(client, b"hello") == b"hello"
            proxy.cut()
            assert said_back(client, b"anybody?") == b""
        with pytest.raises(OSError, match=r"\w"):
            socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
        proxy.mend()
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
            assert said_back(client, b"x" * 100_000) == b"x" * 100_000


def echo(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=give_back, args=[connection], daemon=True).start()


def give_back(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        while chunk := connection.recv(4096):
            connection.sendall(chunk)


def said_back(client: socket.socket, words: bytes) -> bytes:
    heard = b""
    with contextlib.suppress(OSError):
        client.sendall(words)
        while len(heard) < len(words) and (chunk := client.recv(4096)):
            heard += chunk
    return heard


# how it judges


def opportunity(**changes: Any) -> dict[str, Any]:
    seen = {
        "emails": ["a@candidates.example"],
        "stage": TRIGGER,
        "tags": ["CodeScreen Backend", "CodeScreen: Candidate Invited"],
        "links": [],
        "feedback": [],
        "feedback_deleted": 0,
    }
    return seen | changes


def invitation(**changes: Any) -> dict[str, Any]:
    instance = {"phase": "not_started", "score": None}
    entry = {"email": "a@candidates.example", "emails_sent": 1, "ambiguous": 0, "instances": [instance]}
    return entry | changes


def completed(score: int = 80) -> dict[str, Any]:
    return invitation(instances=[{"phase": "complete", "score": score}])


def form(score: str = "80") -> dict[str, Any]:
    return {"fields": {"CodeScreen score": score}}


def judged(
    seen: dict[str, Any], sent: list[dict[str, Any]], *rows: Row, other_faults: Any = None, **more: Any
) -> Any:
    deliveries = more.pop("deliveries", [])
    return judge(
        Evidence(
            lever={"opportunities": {"o": seen}, "deliveries": deliveries},
            codescreen={"invitations": sent, "other_faults": other_faults or {}},
            rows=rows,
            moved=["o"],
            trigger_stages=[TRIGGER],
            **more,
        )
    )


INVITED, COMPLETED, UNCERTAIN = Row("o", "invited"), Row("o", "completed"), Row("o", "uncertain", 1000.0)
DONE = opportunity(tags=["CodeScreen: Assessment Completed"], links=["report"], feedback=[form()])


def test_an_uncertain_invitation_that_codescreen_told_of_should_have_been_resolved() -> None:
    sent = [invitation(ambiguous=1)]
    assert judged(opportunity(), sent, UNCERTAIN, has_webhooks=True).broken == {"unresolved": ["o"]}
    assert judged(opportunity(), sent, UNCERTAIN).broken == {}
    assert judged(opportunity(), [], UNCERTAIN, has_webhooks=True, interruptions=[1001.0]).broken == {}


def test_one_e_mail_and_one_tag_break_nothing() -> None:
    judgement = judged(opportunity(), [invitation()], INVITED)
    assert judgement.broken == {}
    assert (judgement.counts["emails"], judgement.counts["candidates"]) == (1, 1)


def test_a_completed_assessment_with_its_feedback_breaks_nothing() -> None:
    judgement = judged(DONE, [completed()], COMPLETED)
    assert judgement.broken == {}
    assert (judgement.counts["completed"], judgement.counts["feedback"]) == (1, 1)


def test_who_left_the_stage_uninvited_is_not_lost() -> None:
    assert judged(opportunity(stage=OTHER, tags=[]), []).broken == {}


@pytest.mark.parametrize(
    ("promise", "seen", "sent", "rows"),
    [
        ("twice", opportunity(), [invitation(emails_sent=2)], [INVITED]),
        ("lost", opportunity(tags=[]), [], []),
        ("unsettled", opportunity(), [invitation()], [Row("o", "pending")]),
        ("tags_wrong", opportunity(tags=[]), [invitation()], [INVITED]),
        ("tags_wrong", DONE | {"tags": [*DONE["tags"], "CodeScreen: Candidate Invited"]}, [completed()], [COMPLETED]),
        ("feedback_twice", DONE | {"feedback": [form(), form()]}, [completed()], [COMPLETED]),
        ("feedback_missing", DONE | {"feedback": []}, [completed()], [COMPLETED]),
        ("feedback_wrong", DONE, [completed(score=20)], [COMPLETED]),
        ("feedback_wrong", opportunity(feedback=[form()]), [invitation()], [INVITED]),
        ("links_wrong", DONE | {"links": []}, [completed()], [COMPLETED]),
        ("unexplained", opportunity(tags=[]), [], [UNCERTAIN]),
    ],
)  # fmt: skip
def test_a_broken_promise_is_seen(promise, seen, sent, rows) -> None:
    assert promise in PROMISES
    assert judged(seen, sent, *rows).broken == {promise: ["o"]}


def test_a_webhook_that_was_taken_and_left_no_row_is_seen() -> None:
    deliveries = [{"subject": "o", "state": "delivered"}]
    assert judged(opportunity(), [invitation()], INVITED, deliveries=deliveries).broken == {"unheard": ["o"]}
    heard = judged(opportunity(), [invitation()], INVITED, deliveries=deliveries, heard=["o"])
    assert heard.broken == {}


@pytest.mark.parametrize(
    ("sent", "more", "reason"),
    [
        ([invitation(ambiguous=1)], {}, "explained_by_fault"),
        (
            [],
            {"other_faults": {"a@candidates.example id": {"reset_before:no_effect": 1}}},
            "explained_by_fault",
        ),
        ([], {"interruptions": [1001.5]}, "explained_by_kill"),
    ],
)
def test_an_uncertain_invitation_is_explained_by_the_books_or_by_a_kill(sent, more, reason) -> None:
    judgement = judged(opportunity(tags=[]), sent, UNCERTAIN, **more)
    assert judgement.broken == {}
    assert (judgement.counts["uncertain"], judgement.counts[reason]) == (1, 1)


@pytest.mark.parametrize(
    "more",
    [
        {"other_faults": {"a@candidates.example id": {"status_429:no_effect": 1}}},
        {"other_faults": {"b@candidates.example id": {"reset_before:no_effect": 1}}},
        {"interruptions": [900.0, 1100.0]},
    ],
)
def test_what_left_nobody_guessing_explains_nothing(more) -> None:
    assert judged(opportunity(tags=[]), [], UNCERTAIN, **more).broken == {"unexplained": ["o"]}


def test_recovery_is_the_time_to_the_next_finished_piece_of_work() -> None:
    interruptions = [Interruption("workers", 10.0), Interruption("web", 20.0), Interruption("workers", 90.0)]
    assert collect.longest_recovery(interruptions, [5.0, 11.0, 24.5, 30.0]) == (4.5, "web at 00:00:20")


def test_the_wait_for_the_door_begins_when_the_database_is_back() -> None:
    seen = [
        Interruption("web", 10.0),
        Interruption("restart", 20.0, 23.0),
        Interruption("database", 90.0, 90.0),
    ]
    assert ingest_run.waits(seen, [5.0, 21.0, 23.5, 30.0]) == [0.5]


def test_what_the_door_must_never_answer_is_told_apart() -> None:
    answers = ingest_run.Answers(
        others=Counter({"503": 9, "broken connection": 4, "500": 2, "ReadTimeout": 1})
    )
    assert answers.wrong == {"500": 2, "ReadTimeout": 1}


def test_the_rate_without_redis_is_compared_turn_by_turn() -> None:
    moments = [at / 10 for at in range(100)] + [10 + at / 5 for at in range(50)] + [20.0, 20.1, 20.2]
    assert ingest_run.rate_while_away([(0.0, 10.0, 20.0)], moments) == pytest.approx(0.5, abs=0.02)
    turns = [(0.0, 5.0, 10.0), (0.0, 10.0, 20.0), (0.0, 2.0, 4.0)]
    assert ingest_run.rate_while_away(turns, moments) == pytest.approx(1.0, abs=0.05)
    assert ingest_run.rate_while_away([], moments) is None


def test_the_times_of_the_answers_are_told_by_their_share() -> None:
    assert ingest_run.percentiles([at / 1000 for at in range(1, 1001)]) == {"50": 0.5, "99": 0.99, "100": 1.0}
    assert ingest_run.percentiles([]) == {"50": 0.0, "99": 0.0, "100": 0.0}


def test_a_posted_stage_change_is_somebodys_new_and_proven() -> None:
    first, second = (ingest_run.stage_change("token", "stage") for _ in range(2))
    assert dedupe_key(first) != dedupe_key(second)
    assert matching_token(first, ["other", "token"]) == "token"


def test_what_does_the_work_has_no_children() -> None:
    family = {10: 1, 11: 10, 12: 11, 13: 12, 14: 12}
    assert leaves(family, 10) == [13, 14]


def test_a_table_says_what_broke() -> None:
    table = Table("A run", {"lost": 1, "verdicts": {"invite": 3}, "seconds": 2.5}, {"lost": ["o"]})
    assert not table.holds
    assert "BROKEN  lost: 1 (o)" in table.as_text()
    assert "invite 3" in table.as_text()
    assert json.loads(table.as_json())["broken"] == {"lost": ["o"]}


@pytest.mark.slow
def test_a_tiny_run_keeps_every_promise(tmp_path) -> None:
    argv = [sys.executable, "manage.py", "chaos", "--events", "24", "--kill-every", "1", "--json"]
    argv += ["--log", str(tmp_path / "log"), "--idempotency"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    table = json.loads(done.stdout)
    assert (table["invited_twice"], table["lost"], table["broken"]) == (0, 0, {})
    assert table["events"] == 24
