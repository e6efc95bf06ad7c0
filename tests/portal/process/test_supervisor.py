"""The supervisor replaces programs that end, and leaves nothing running, whatever it runs and however it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from portal.devtools import processes
from portal.devtools.processes import members
from portal.process import supervisor
from portal.process.startup import LOG_FORMATS
from portal.process.supervisor import HANDED_OVER, Program, Supervisor

ROOT = Path(__file__).resolve().parents[3]

SLEEPER = "import time; time.sleep(60)"
PROGRAM_THAT_IGNORES_TERM = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
#: Has such a child, and ends at TERM itself.
PROGRAM_WITH_CHILD = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {PROGRAM_THAT_IGNORES_TERM!r}, sys.argv[1]])
time.sleep(60)
"""
#: Becomes a supervisor as `serve` does, whatever the tests run under.
BECOMES_SUPERVISOR = """
import os, signal, sys
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, getattr(signal, sys.argv[1]))
os.execv(sys.executable, [sys.executable, "-P", "-m", "portal.process.supervisor"])
"""


def program(script: str, *arguments: object) -> Program:
    return Program("it", [sys.executable, "-c", script, *map(str, arguments)])


def wait_until(holds: Callable[[], object], seconds: float = 30) -> None:
    processes.wait_until(holds, seconds, "the condition never became true", 0.02)


@pytest.mark.slow
def test_a_program_is_replaced_with_all_it_started_when_it_was_killed(tmp_path: Path) -> None:
    with Supervisor([program(PROGRAM_WITH_CHILD, tmp_path / "up")]) as one:
        group = one.runs["it"].pid
        wait_until((tmp_path / "up").exists)
        os.kill(group, signal.SIGKILL)

        def is_replaced() -> bool:
            one.reconcile()
            return "it" in one.runs and one.runs["it"].pid != group

        wait_until(is_replaced)
        wait_until(lambda: not members(group))


def test_a_program_that_keeps_ending_is_started_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(supervisor, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with Supervisor([program("import sys; open(sys.argv[1], 'a').write('x')", tmp_path / "starts")]) as one:

        def has_ended() -> bool:
            one.reconcile()
            return not one.runs

        for starts in ("x", "xx"):
            wait_until(has_ended)
            assert (tmp_path / "starts").read_text() == starts
            now[0] += supervisor.START_EVERY_SECONDS
            one.reconcile()


def test_a_program_is_started_later_when_the_machine_has_no_room_for_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refuse = Mock(side_effect=BlockingIOError(11, "Resource temporarily unavailable"))
    monkeypatch.setattr(supervisor, "START_EVERY_SECONDS", 0.0)
    with monkeypatch.context() as now:
        now.setattr(subprocess, "Popen", refuse)
        one = Supervisor([program(SLEEPER)])
        one.reconcile()
    assert "could not be started; trying again: Resource temporarily unavailable" in caplog.text
    assert one.runs == {}
    with one:
        assert members(one.runs["it"].pid)


def test_a_program_that_ignores_term_is_killed(tmp_path: Path) -> None:
    with Supervisor([program(PROGRAM_THAT_IGNORES_TERM, tmp_path / "up")]) as one:
        group = one.runs["it"].pid
        wait_until((tmp_path / "up").exists)
        one.stop(seconds=0.3)
    wait_until(lambda: not members(group))


@contextmanager
def supervised(folder: Path, disposition: str) -> Iterator[tuple["subprocess.Popen[str]", list[int]]]:
    """Run a supervisor that finds all signals so; the process, and its two programs' groups of two processes each."""
    scripts = {
        name: [sys.executable, "-c", PROGRAM_WITH_CHILD, f"{folder}/up-{name}"] for name in ("one", "two")
    }
    given = {
        "log": {"level": "INFO", "format": LOG_FORMATS["json"]},
        "programs": [{"name": name, "argv": argv} for name, argv in scripts.items()],
    }
    process = subprocess.Popen(
        [sys.executable, "-c", BECOMES_SUPERVISOR, disposition],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), HANDED_OVER: json.dumps(given)},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stderr is not None
            lines = [json.loads(process.stderr.readline()) for _ in scripts]
            groups = [int(line["message"].rpartition(" ")[2][:-2]) for line in lines]
            wait_until(lambda: all(Path(argv[-1]).exists() for argv in scripts.values()))
            assert all(len(members(group)) == 2 for group in groups)
            yield process, groups
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_running_when_the_supervisor_ends(how: signal.Signals, tmp_path: Path) -> None:
    with supervised(tmp_path, "SIG_DFL") as (process, groups):
        process.send_signal(how)
        assert process.wait(15) == 0
    wait_until(lambda: not any(members(group) for group in groups))


def test_its_programs_get_term_when_the_supervisor_was_killed(tmp_path: Path) -> None:
    with supervised(tmp_path, "SIG_DFL") as (process, groups):
        process.kill()
        wait_until(lambda: not any(group in members(group) for group in groups))
    for group in groups:
        os.killpg(group, signal.SIGKILL)  # the programs of this test leave a child that ignores it


@pytest.mark.slow
def test_the_supervisor_ends_at_term_alone_when_signals_were_ignored_at_its_start(tmp_path: Path) -> None:
    with supervised(tmp_path, "SIG_IGN") as (process, groups):
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        os.kill(groups[0], signal.SIGKILL)
        assert process.stderr is not None
        assert "starting it again" in process.stderr.readline()
        process.terminate()
        assert process.wait(15) == 0
