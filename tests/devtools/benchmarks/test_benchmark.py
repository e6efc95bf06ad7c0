"""The benchmarks' figures and client, and a whole run with few invitations."""

import asyncio
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from portal.devtools.benchmarks.benchmark import p99, ratios, spread
from portal.devtools.benchmarks.bulk import table
from portal.devtools.benchmarks.load import read_answer


def test_a_spread_has_the_median_between_the_quartiles():
    assert spread([5, 1, 3, 2, 4], 1) == "3.0 [2.0–4.0]"
    assert spread([0.5]) == "0.50 [0.50–0.50]"


def test_ratios_compare_each_round_with_its_own_yardstick():
    assert ratios([10, 30], [20, 10]) == [0.5, 3]


def test_one_of_a_hundred_values_exceeds_the_99th_percentile():
    values = list(range(200, 0, -1))
    assert sum(value > p99(values) for value in values) == 2


def test_the_bound_is_what_the_calls_take_at_levers_rate_after_its_burst():
    found = table(candidates=300, calls=320, refused=0, took=33.0)
    rows = {row[0]: row[1] for row in found.rows}
    assert rows["least time of these calls, at 10/s and 20"] == "30.0 s"
    assert rows["÷ the least time"] == "1.100"
    assert rows["calls to Lever a candidate"] == "1.07"


# the client takes an answer for complete once all of it is there, and one that is no 2xx for an error


def read(answer: bytes) -> bytes:
    """Read an answer, after which the connection ends; return what is left."""

    async def read_all() -> bytes:
        reader = asyncio.StreamReader()
        reader.feed_data(answer)
        reader.feed_eof()
        await read_answer(reader)
        return await reader.read()

    return asyncio.run(read_all())


def test_an_answer_is_read_whole_and_no_more():
    assert read(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1") == b"HTTP/1.1"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{",
        b"",
    ],
)
def test_a_refusal_and_the_end_of_the_connection_are_errors(answer):
    with pytest.raises(ConnectionError, match="was answered"):
        read(answer)


# manage.py bench workflow


@pytest.mark.nightly
@pytest.mark.slow
def test_a_small_run_prints_a_table():
    command = [sys.executable, "manage.py", "bench", "workflow", "--invitations", "16", "--rounds", "2"]
    run = subprocess.run(
        [*command, "--past", "8"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "÷ a bare loop of the calls" in run.stdout


def test_a_server_that_does_not_answer_is_named():
    with pytest.raises(CommandError, match="No database could be made on that server") as refused:
        call_command("bench", "workflow", "--database-url", "postgresql://127.0.0.1:1/x")
    assert refused.value.returncode == 1
