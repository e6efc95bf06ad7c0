"""The supervisor starts, watches, replaces and ends its programs with everything they start."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from portal.devtools.processes import members
from portal.process import supervisor
from portal.process.supervisor import Program, Supervisor

ROOT = Path(__file__).resolve().parents[3]

SLEEPER = "import time; time.sleep(60)"
#: Starts a child of its own that ignores TERM, and ends at TERM itself.
PROGRAM_WITH_CHILD = """
import pathlib, subprocess, sys, time
ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", ignore], stdout=subprocess.PIPE)
child.stdout.readline()
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
PROGRAM_THAT_IGNORES_TERM = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
#: Says once that it works. One process ends at TERM after it has finished something, the other does nothing.
PROGRAM_WITH_WORK = """
import os, pathlib, signal, socket, subprocess, sys, time
idle = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
def finish(*_):
    time.sleep(0.5)
    pathlib.Path(sys.argv[2]).touch()
    idle.kill()
    sys.exit()
signal.signal(signal.SIGTERM, finish)
address = os.environ["NOTIFY_SOCKET"].replace("@", chr(0))
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"WATCHDOG=1", address)
pathlib.Path(sys.argv[1]).write_text(str(idle.pid))
time.sleep(60)
"""
#: Becomes a supervisor as `serve` does, and prints the process groups as soon as they run.
SUPERVISED = """
import signal, sys
from portal.process import supervisor
script, marker, disposition = sys.argv[1:]
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # whatever the tests run under
    signal.signal(number, getattr(signal, disposition))
log = {"version": 1, "disable_existing_loggers": False, "root": {"level": "INFO", "handlers": ["stderr"]}}
log["handlers"] = {"stderr": {"class": "logging.StreamHandler"}}
programs = [supervisor.Program(name, [sys.executable, "-c", script, marker + name]) for name in ("one", "two")]
supervisor.become(programs, log)
"""


def program(script: str, *arguments: object, silent_seconds: float = float("inf")) -> Program:
    return Program("it", [sys.executable, "-c", script, *map(str, arguments)], silent_seconds=silent_seconds)


def wait_until(holds: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition never became true"
        time.sleep(0.02)


def wait_until_ended(supervisor: Supervisor, group: int) -> None:
    """Reconcile until nothing of a process group runs."""

    def has_ended() -> bool:
        supervisor.reconcile()
        return not members(group)

    wait_until(has_ended)


def replaced(supervisor: Supervisor, group: int) -> int:
    """Return the process group of the program's next run."""

    def is_replaced() -> bool:
        supervisor.reconcile()
        return "it" in supervisor.runs and supervisor.runs["it"].pid != group

    wait_until(is_replaced)
    return supervisor.runs["it"].pid


@pytest.mark.parametrize("victim", ["program", "guard"])
def test_a_program_is_replaced_with_all_it_started_when_it_or_its_guard_was_killed(
    tmp_path: Path, victim: str
) -> None:
    with Supervisor([program(PROGRAM_WITH_CHILD, tmp_path / "up")]) as supervisor:
        group = supervisor.runs["it"].pid
        wait_until((tmp_path / "up").exists)
        started = [pid for pid, parent in members(group).items() if parent == os.getpid() and pid != group]
        os.kill(group if victim == "guard" else started[0], signal.SIGKILL)
        replaced(supervisor, group)
        wait_until(lambda: not members(group), seconds=30)


def test_a_program_that_keeps_ending_is_started_after_a_pause(tmp_path: Path) -> None:
    with Supervisor([program("import sys; open(sys.argv[1], 'a').write('x')", tmp_path / "starts")]) as one:
        deadline = time.monotonic() + supervisor.PAUSE_SECONDS * 1.5
        while time.monotonic() < deadline:
            one.reconcile()
            time.sleep(0.02)
    assert (tmp_path / "starts").read_text() == "xx"


@pytest.mark.parametrize("call", ["first", "second"])
def test_a_program_is_started_later_when_the_machine_has_no_room_for_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, call: str
) -> None:
    start, calls = subprocess.Popen, iter(["first", "second"])

    def refuse(*arguments: object, **options: object) -> object:
        if next(calls) == call:
            raise BlockingIOError("Resource temporarily unavailable")
        return start(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", refuse)
    one = Supervisor([program(SLEEPER)])
    one.reconcile()
    assert "could not be started" in caplog.text
    assert one.runs == {}
    monkeypatch.setattr(subprocess, "Popen", start)
    with one:
        assert members(one.runs["it"].pid)


@pytest.mark.parametrize("has_spoken", [False, True])
def test_a_silent_program_is_replaced_and_ends_what_it_has_begun(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_spoken: bool
) -> None:
    monkeypatch.setattr(supervisor, "START_SECONDS", 60.0 if has_spoken else 0.5)
    up, finished = tmp_path / "up", tmp_path / "finished"
    script = PROGRAM_WITH_WORK if has_spoken else PROGRAM_WITH_WORK.replace("WATCHDOG", "STATUS")
    with Supervisor([program(script, up, finished, silent_seconds=0.5)]) as one:
        group = one.runs["it"].pid
        wait_until(up.exists)
        next_group = replaced(one, group)
        assert members(group)
        wait_until_ended(one, group)
        assert finished.exists()
        assert members(next_group)


def test_a_new_program_has_time_until_its_first_word(tmp_path: Path) -> None:
    with Supervisor([program(SLEEPER, silent_seconds=0.1)]) as one:
        group = one.runs["it"].pid
        time.sleep(0.2)
        one.reconcile()
        assert one.runs["it"].pid == group


def test_a_program_is_not_silent_for_the_time_in_which_it_was_not_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "LATE_SECONDS", 0.3)
    up = tmp_path / "up"
    with Supervisor([program(PROGRAM_WITH_WORK, up, tmp_path / "finished", silent_seconds=0.2)]) as one:
        group = one.runs["it"].pid
        wait_until(up.exists)
        one.reconcile()
        time.sleep(0.4)  # as when the whole machine stood still
        one.reconcile()
        assert one.runs["it"].pid == group
        time.sleep(0.25)
        one.reconcile()
        assert one.runs["it"].pid != group


def test_a_program_is_replaced_and_its_other_processes_finish_when_one_was_suspended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "FROZEN_SECONDS", 0.5)
    up, finished = tmp_path / "up", tmp_path / "finished"
    with Supervisor([program(PROGRAM_WITH_WORK, up, finished)]) as one:
        group = one.runs["it"].pid
        wait_until(lambda: up.exists() and up.read_text())
        os.kill(int(up.read_text()), signal.SIGSTOP)
        replaced(one, group)
        wait_until_ended(one, group)
        assert finished.exists()


def test_a_program_that_ignores_term_is_killed_and_one_that_was_replaced_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "START_SECONDS", 0.5)
    up = tmp_path / "up"
    with Supervisor([program(PROGRAM_THAT_IGNORES_TERM, up, silent_seconds=0.0)]) as one:
        first = one.runs["it"].pid
        wait_until(up.exists)
        up.unlink()
        second = replaced(one, first)
        wait_until(up.exists)
        assert members(first)
        one.stop(seconds=0.3)
    wait_until(lambda: not members(first) and not members(second), seconds=30)


#: Notes when it is drained, and when TERM ends it.
PROGRAM_THAT_DRAINS = """
import pathlib, signal, sys, time
from portal.process.supervisor import is_draining
notes = pathlib.Path(sys.argv[1])
def note(what):
    with notes.open("a") as file:
        file.write(what + " ")
def end(*_):
    note("ended")
    sys.exit()
signal.signal(signal.SIGTERM, end)
note("up")
while not is_draining():
    time.sleep(0.01)
note("draining")
time.sleep(60)
"""


def test_a_program_drains_before_term_and_one_that_need_not_ends_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    slow, quick = tmp_path / "slow", tmp_path / "quick"
    programs = [
        replace(program(PROGRAM_THAT_DRAINS, slow), name="slow", drain_seconds=2.0),
        replace(program(PROGRAM_THAT_DRAINS, quick), name="quick"),
    ]
    with Supervisor(programs) as one:
        wait_until(lambda: slow.exists() and quick.exists())
        began_at = time.monotonic()
        one.stop(seconds=20)
    assert 2 <= time.monotonic() - began_at < 8
    assert slow.read_text() == "up draining ended "
    assert quick.stat().st_mtime < slow.stat().st_mtime - 1
    assert quick.read_text().endswith("ended ")


def test_the_programs_children_are_killed_when_it_has_ended(tmp_path: Path) -> None:
    with Supervisor([program(PROGRAM_WITH_CHILD, tmp_path / "up")]) as one:
        group = one.runs["it"].pid
        wait_until((tmp_path / "up").exists)
        started_at = time.monotonic()
    assert time.monotonic() - started_at < 5
    wait_until(lambda: not members(group), seconds=30)


@contextmanager
def supervised(folder: Path, disposition: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Run a supervisor that finds all signals so; the process and its two programs' groups, of three processes each."""
    marker = str(folder / "up-")
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISED, PROGRAM_WITH_CHILD, marker, disposition],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stderr is not None
            groups = [int(process.stderr.readline().rpartition(" ")[2][:-3]) for _ in range(2)]
            wait_until(lambda: Path(marker + "one").exists() and Path(marker + "two").exists())
            assert all(len(members(group)) == 3 for group in groups)
            yield process, groups
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_running_however_the_supervisor_ends(how: signal.Signals, tmp_path: Path) -> None:
    with supervised(tmp_path, "SIG_DFL") as (process, groups):
        process.send_signal(how)
        assert process.wait(15) == (-9 if how == signal.SIGKILL else 0)
    wait_until(lambda: not any(members(group) for group in groups), seconds=30)


def test_the_supervisor_ends_at_term_alone_when_signals_were_ignored_at_its_start(tmp_path: Path) -> None:
    with supervised(tmp_path, "SIG_IGN") as (process, groups):
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        os.kill(groups[0], signal.SIGKILL)
        assert process.stderr is not None
        assert "starting it again" in process.stderr.readline()
        process.terminate()
        assert process.wait(15) == 0
