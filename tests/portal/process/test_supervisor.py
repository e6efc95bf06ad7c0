"""The supervisor starts, probes, replaces and ends its programs with everything they start."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.process.process_group import ProcessGroup
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
SUPERVISED = """
import signal, sys
from django.conf import settings
from portal.process.supervisor import Program, Supervisor
settings.configure(DATABASES={})
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
script, marker = sys.argv[1:]
class Reporting(Supervisor):
    def reconcile(self):
        super().reconcile()
        print(*(group.pid for group in self.groups), flush=True)
programs = [Program(name, [sys.executable, "-c", script, marker + name]) for name in ("one", "two")]
Reporting(programs).run()
"""


def program(script: str, *arguments: object, is_stalled: Callable[[], bool] | None = None) -> Program:
    argv = [sys.executable, "-c", script, *map(str, arguments)]
    return Program("a program", argv, is_stalled=is_stalled) if is_stalled else Program("a program", argv)


def wait_until(holds: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition never became true"
        time.sleep(0.02)


def reconcile_until(supervisor: Supervisor, holds: Callable[[], object]) -> None:
    def reconciled() -> object:
        supervisor.reconcile()
        return holds()

    wait_until(reconciled)


def members(group: int | None) -> list[int]:
    """Return the living processes of a group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(process_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


def only_group(supervisor: Supervisor) -> ProcessGroup:
    (group,) = supervisor.groups
    return group


def test_replaces_a_program_when_it_was_killed() -> None:
    with Supervisor([program(SLEEPER)]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        wait_until(lambda: len(members(first)) == 2)
        for pid in members(first):
            if pid != first:
                os.kill(pid, signal.SIGKILL)
        reconcile_until(supervisor, lambda: group.pid not in {None, first})
        wait_until(lambda: not members(first), seconds=1)


def test_replaces_a_whole_group_when_its_guard_was_killed(tmp_path: Path) -> None:
    with Supervisor([program(PROGRAM_WITH_CHILD, tmp_path / "up")]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        assert first
        wait_until((tmp_path / "up").exists)
        os.kill(first, signal.SIGKILL)
        reconcile_until(supervisor, lambda: group.pid not in {None, first})
        wait_until(lambda: not members(first), seconds=1)


@pytest.mark.slow
def test_pauses_longer_each_time_when_a_program_keeps_ending(tmp_path: Path) -> None:
    count = "import sys; open(sys.argv[1], 'a').write('x')"
    with Supervisor([program(count, tmp_path / "starts")]) as supervisor:
        deadline = time.monotonic() + 2.5
        while time.monotonic() < deadline:
            supervisor.reconcile()
            time.sleep(0.02)
    assert 2 <= len((tmp_path / "starts").read_text()) <= 4


def test_a_program_is_started_later_when_the_machine_has_no_room_for_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Supervisor([program(SLEEPER)]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        assert first
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", raise_no_room)
            os.killpg(first, signal.SIGKILL)
            reconcile_until(supervisor, lambda: "could not be started" in caplog.text)
        reconcile_until(supervisor, lambda: group.pid not in {None, first})


def raise_no_room(*_: object, **__: object) -> None:
    raise BlockingIOError("Resource temporarily unavailable")


def test_replaces_a_stopped_group_when_it_makes_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.process.process_group.INITIAL_GRACE", 0.1)
    stalled = [False]
    with Supervisor([program(SLEEPER, is_stalled=lambda: stalled[0])]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        assert first
        os.killpg(first, signal.SIGSTOP)
        stalled[0] = True
        reconcile_until(supervisor, lambda: group.pid not in {None, first})
        stalled[0] = False
        wait_until(lambda: not members(first), seconds=1)


def test_a_new_program_does_not_count_as_stalled() -> None:
    with Supervisor([program(SLEEPER, is_stalled=lambda: True)]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        group.probe()
        supervisor.reconcile()
        assert group.pid == first


def test_a_longer_grace_ends_when_the_program_makes_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.process.process_group.INITIAL_GRACE", 0.1)
    answers = iter([True, False, True])
    with Supervisor([]) as supervisor:
        group = ProcessGroup(program(SLEEPER, is_stalled=lambda: next(answers)), supervisor._pipes[0])
        group.start()
        try:
            group._grace = 60.0  # as after several stalls
            time.sleep(0.15)
            group.probe()
            assert not group.is_stalled  # still within the longer grace
            group.probe()
            group.probe()
            assert group.is_stalled  # it had made progress, and is stalled again
        finally:
            group.kill()


def test_a_program_that_made_progress_needs_no_grace() -> None:
    has_progress = [False]
    is_stalled = [True]
    stalled_program = Program(
        "a program",
        [sys.executable, "-c", SLEEPER],
        is_stalled=lambda: is_stalled[0],
        made_progress_within=lambda seconds: has_progress[0] and seconds < 10,
    )
    with Supervisor([]) as supervisor:
        group = ProcessGroup(stalled_program, supervisor._pipes[0])
        group.start()
        results = []
        try:
            group._grace = 60.0  # as after several stalls
            for has_progress[0], is_stalled[0] in ((False, True), (True, True), (True, False)):
                group.probe()
                results.append(group.is_stalled)
        finally:
            group.kill()
    assert results == [False, True, False]


def test_the_time_of_a_database_outage_does_not_count_as_a_stall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("portal.process.process_group.INITIAL_GRACE", 0.2)
    with Supervisor([]) as supervisor:
        group = ProcessGroup(program(SLEEPER, is_stalled=lambda: True), supervisor._pipes[0])
        group.start()
        try:
            time.sleep(0.3)
            group.reset_grace()
            group.probe()
            assert not group.is_stalled
        finally:
            group.kill()


def test_after_a_database_outage_an_old_program_gets_less_grace_than_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("portal.process.process_group.GRACE_AFTER_OUTAGE", 0.1)
    monkeypatch.setattr("portal.process.process_group.INITIAL_GRACE", 0.4)
    with Supervisor([]) as supervisor:
        new, older = (
            ProcessGroup(program(SLEEPER, is_stalled=lambda: True), supervisor._pipes[0]) for _ in range(2)
        )
        older.start()
        older._grace = 0.4
        time.sleep(0.5)
        new.start()
        new._grace = 60.0  # as after several stalls
        for group in (new, older):
            group.reset_grace()
        time.sleep(0.2)
        try:
            for group in (new, older):
                group.probe()
            assert older.is_stalled
            assert not new.is_stalled
        finally:
            new.kill()
            older.kill()


@pytest.mark.slow
def test_no_program_is_replaced_while_the_database_answers_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("portal.process.process_group.INITIAL_GRACE", 0.5)
    monkeypatch.setattr("portal.process.process_group.MAX_PROBE_SECONDS", 0.2)
    monkeypatch.setattr("portal.process.supervisor.MAX_PROBE_SECONDS", 0.2)
    calls: list[float] = []

    def is_stalled() -> bool:
        calls.append(time.monotonic())
        time.sleep(0.4)
        return True

    with Supervisor([program(SLEEPER, is_stalled=is_stalled)]) as supervisor:
        first = only_group(supervisor).pid
        wait_until(lambda: len(calls) >= 3)
        supervisor.reconcile()
        assert only_group(supervisor).pid == first


def test_a_probe_that_took_long_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.process.process_group.INITIAL_GRACE", 0.0)
    monkeypatch.setattr("portal.process.process_group.GRACE_AFTER_OUTAGE", 0.0)
    monkeypatch.setattr("portal.process.process_group.MAX_PROBE_SECONDS", 0.1)
    delays = [0.2, 0.0]

    def is_stalled() -> bool:
        time.sleep(delays.pop(0))
        return True

    with Supervisor([]) as supervisor:
        group = ProcessGroup(program(SLEEPER, is_stalled=is_stalled), supervisor._pipes[0])
        group.start()
        try:
            group._grace = 0.0
            group.probe()
            assert not group.is_stalled
            group.probe()
            assert group.is_stalled
        finally:
            group.kill()


def test_a_stall_wakes_the_supervisor_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.process.process_group.INITIAL_GRACE", 0.0)
    with Supervisor([program(SLEEPER, is_stalled=lambda: True)]) as supervisor:
        started_at = time.monotonic()
        assert select.select([supervisor._wake_reader], [], [], 5)[0]
        assert time.monotonic() - started_at < 3


def test_a_program_is_probed_again_after_an_error(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.process.process_group.INITIAL_GRACE", 0.0)
    monkeypatch.setattr("portal.process.process_group.GRACE_AFTER_OUTAGE", 0.0)
    calls: list[float] = []

    def is_stalled() -> bool:
        calls.append(time.monotonic())
        if len(calls) == 1:
            raise OSError("the database is unreachable")
        return False

    with Supervisor([program(SLEEPER, is_stalled=is_stalled)]):
        wait_until(lambda: len(calls) >= 2)
        wait_until(lambda: "works again" in caplog.text)


#: Two processes: one ends at TERM after it has finished something, the other does nothing.
PROGRAM_WITH_WORK = """
import pathlib, signal, subprocess, sys, time
idle = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
def finish(*_):
    time.sleep(0.5)
    pathlib.Path(sys.argv[2]).touch()
    idle.kill()
    sys.exit()
signal.signal(signal.SIGTERM, finish)
pathlib.Path(sys.argv[1]).write_text(str(idle.pid))
time.sleep(60)
"""


def test_a_stalled_program_ends_what_it_has_begun_while_the_next_one_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("portal.process.process_group.INITIAL_GRACE", 0.0)
    stalled = [False]
    paths = (tmp_path / "up", tmp_path / "finished")
    with Supervisor([program(PROGRAM_WITH_WORK, *paths, is_stalled=lambda: stalled[0])]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        wait_until(paths[0].exists)
        stalled[0] = True
        reconcile_until(supervisor, lambda: group.pid not in {None, first})
        stalled[0] = False
        assert members(first)
        reconcile_until(supervisor, lambda: not members(first))
        assert paths[1].exists()
        assert len(members(group.pid)) >= 1


def test_a_program_is_replaced_and_its_other_processes_finish_when_one_was_suspended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("portal.process.process_group.FROZEN_AFTER", 0.5)
    paths = (tmp_path / "up", tmp_path / "finished")
    with Supervisor([program(PROGRAM_WITH_WORK, *paths)]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        wait_until(lambda: paths[0].exists() and paths[0].read_text())
        os.kill(int(paths[0].read_text()), signal.SIGSTOP)
        reconcile_until(supervisor, lambda: group.pid not in {None, first})
        reconcile_until(supervisor, lambda: not members(first))
        assert paths[1].exists()


def test_retired_programs_are_ended_too_when_the_supervisor_stops(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("portal.process.process_group.INITIAL_GRACE", 0.0)
    stalled = [False]
    stubborn = program(PROGRAM_THAT_IGNORES_TERM, tmp_path / "up", is_stalled=lambda: stalled[0])
    with Supervisor([stubborn]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        wait_until((tmp_path / "up").exists)
        stalled[0] = True
        reconcile_until(supervisor, lambda: group.pid not in {None, first})
        assert members(first)
        supervisor.stop(seconds=0.3)
    wait_until(lambda: not members(first), seconds=1)


REAPER = """
import ctypes, os, subprocess, sys, time
from portal.process import process_table
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: orphans become its children, as of the first process
orphan = [sys.executable, "-c", "import time; time.sleep(0.3)"]
parent = "import subprocess, sys; subprocess.Popen(%r)" % (orphan,)
subprocess.run([sys.executable, "-c", parent], check=True)
own = subprocess.Popen([sys.executable, "-c", ""])
def ended():
    return [item.pid for item in process_table.processes() if item.parent == os.getpid() and item.state == "Z"]
while len(ended()) < 2:
    time.sleep(0.02)
process_table.reap_orphans([own.pid])
print(ended() == [own.pid], own.wait())
"""


def test_orphans_are_reaped_and_own_programs_are_not() -> None:
    run = subprocess.run(
        [sys.executable, "-c", REAPER], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.stdout == "True 0\n", run.stderr


def test_kills_a_program_that_ignores_term(tmp_path: Path) -> None:
    supervisor = Supervisor([program(PROGRAM_THAT_IGNORES_TERM, tmp_path / "up")])
    with supervisor:
        group = only_group(supervisor).pid
        wait_until((tmp_path / "up").exists)
        supervisor.stop(seconds=0.3)
    wait_until(lambda: not members(group), seconds=1)


def test_ends_the_program_gently_and_kills_its_children(tmp_path: Path) -> None:
    with Supervisor([program(PROGRAM_WITH_CHILD, tmp_path / "up")]) as supervisor:
        group = only_group(supervisor).pid
        wait_until((tmp_path / "up").exists)
        started_at = time.monotonic()
    assert time.monotonic() - started_at < 5
    wait_until(lambda: not members(group), seconds=1)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_leaves_nothing_running_however_it_ends(how: signal.Signals, tmp_path: Path) -> None:
    marker = str(tmp_path / "up-")
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISED, PROGRAM_WITH_CHILD, marker],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with supervisor:
        assert supervisor.stdout is not None
        groups = [int(pid) for pid in supervisor.stdout.readline().split()]
        wait_until(lambda: Path(marker + "one").exists() and Path(marker + "two").exists())
        assert all(len(members(group)) == 3 for group in groups)
        supervisor.send_signal(how)
        try:
            assert supervisor.wait(15) == (-9 if how == signal.SIGKILL else 0)
        finally:
            supervisor.kill()
    wait_until(lambda: not any(members(group) for group in groups), seconds=5)
