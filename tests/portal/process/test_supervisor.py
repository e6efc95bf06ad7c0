import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.process.supervisor import Group, Program, Supervisor

ROOT = Path(__file__).resolve().parents[3]

SLEEPER = "import time; time.sleep(60)"
#: Starts a child of its own that ignores TERM, and ends at TERM itself.
FAMILY = """
import pathlib, subprocess, sys, time
ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", ignore], stdout=subprocess.PIPE)
child.stdout.readline()
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
STUBBORN = """
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
family, marker = sys.argv[1:]
supervisor = None
def report():
    print(*(group.pid for group in supervisor.groups), flush=True)
programs = [Program(name, [sys.executable, "-c", family, marker + name]) for name in ("one", "two")]
supervisor = Supervisor(programs, every_second=report)
supervisor.run()
"""


def program(script: str, *arguments: object, is_stalled: Callable[[], bool] | None = None) -> Program:
    argv = [sys.executable, "-c", script, *map(str, arguments)]
    return Program("a program", argv, is_stalled=is_stalled) if is_stalled else Program("a program", argv)


def wait_until(holds: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def tend_until(supervisor: Supervisor, holds: Callable[[], object]) -> None:
    def tended() -> object:
        supervisor.tend()
        return holds()

    wait_until(tended)


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


def only_group(supervisor: Supervisor) -> Group:
    (group,) = supervisor.groups
    return group


def test_replaces_a_program_that_was_killed() -> None:
    with Supervisor([program(SLEEPER)]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        wait_until(lambda: len(members(first)) == 2)
        for pid in members(first):
            if pid != first:
                os.kill(pid, signal.SIGKILL)
        tend_until(supervisor, lambda: group.pid not in {None, first})
        wait_until(lambda: not members(first), seconds=1)


def test_replaces_a_group_whose_guard_was_killed_and_leaves_none_of_it(tmp_path: Path) -> None:
    with Supervisor([program(FAMILY, tmp_path / "up")]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        assert first
        wait_until((tmp_path / "up").exists)
        os.kill(first, signal.SIGKILL)
        tend_until(supervisor, lambda: group.pid not in {None, first})
        wait_until(lambda: not members(first), seconds=1)


@pytest.mark.slow
def test_pauses_ever_longer_before_a_program_that_keeps_ending(tmp_path: Path) -> None:
    count = "import sys; open(sys.argv[1], 'a').write('x')"
    with Supervisor([program(count, tmp_path / "starts")]) as supervisor:
        deadline = time.monotonic() + 2.5
        while time.monotonic() < deadline:
            supervisor.tend()
            time.sleep(0.02)
    assert 2 <= len((tmp_path / "starts").read_text()) <= 4


def test_a_program_that_cannot_be_started_now_is_started_when_there_is_room(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Supervisor([program(SLEEPER)]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        assert first
        with monkeypatch.context() as full:
            full.setattr(subprocess, "Popen", no_room)
            os.killpg(first, signal.SIGKILL)
            tend_until(supervisor, lambda: "could not be started" in caplog.text)
        tend_until(supervisor, lambda: group.pid not in {None, first})


def no_room(*_: object, **__: object) -> None:
    raise BlockingIOError("Resource temporarily unavailable")


def test_replaces_a_stopped_group_that_makes_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.process.supervisor.FIRST_GRACE", 0.1)
    stalled = [False]
    with Supervisor([program(SLEEPER, is_stalled=lambda: stalled[0])]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        assert first
        os.killpg(first, signal.SIGSTOP)
        stalled[0] = True
        tend_until(supervisor, lambda: group.pid not in {None, first})
        stalled[0] = False
        wait_until(lambda: not members(first), seconds=1)


def test_a_fresh_program_is_not_called_stalled() -> None:
    with Supervisor([program(SLEEPER, is_stalled=lambda: True)]) as supervisor:
        group = only_group(supervisor)
        first = group.pid
        group.look()
        supervisor.tend()
        assert group.pid == first


def test_a_longer_grace_ends_when_the_program_gets_going(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.process.supervisor.FIRST_GRACE", 0.1)
    answers = iter([True, False, True])
    with Supervisor([]) as supervisor:
        group = Group(program(SLEEPER, is_stalled=lambda: next(answers)), supervisor._pipes[0])
        group.start()
        try:
            group._grace = 60.0  # as after several stalls
            time.sleep(0.15)
            group.look()
            assert not group.stalled  # still within the longer grace
            group.look()
            group.look()
            assert group.stalled  # it had got going, and stands still again
        finally:
            group.kill()


def test_a_program_that_was_seen_at_work_needs_no_grace() -> None:
    seen = [False]
    is_stalled = [True]
    stuck = Program(
        "a program",
        [sys.executable, "-c", SLEEPER],
        is_stalled=lambda: is_stalled[0],
        shows_life=lambda seconds: seen[0] and seconds < 10,
    )
    with Supervisor([]) as supervisor:
        group = Group(stuck, supervisor._pipes[0])
        group.start()
        judged = []
        try:
            group._grace = 60.0  # as after several stalls
            for seen[0], is_stalled[0] in ((False, True), (True, True), (True, False)):
                group.look()
                judged.append(group.stalled)
        finally:
            group.kill()
    assert judged == [False, True, False]


def test_nobody_is_judged_by_the_time_for_which_the_database_was_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("portal.process.supervisor.FIRST_GRACE", 0.2)
    with Supervisor([]) as supervisor:
        group = Group(program(SLEEPER, is_stalled=lambda: True), supervisor._pipes[0])
        group.start()
        try:
            time.sleep(0.3)
            group.forgive()
            group.look()
            assert not group.stalled
        finally:
            group.kill()


def test_who_stands_still_after_the_database_was_away_is_found_sooner_than_a_fresh_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("portal.process.supervisor.GRACE_AFTER_OUTAGE", 0.1)
    monkeypatch.setattr("portal.process.supervisor.FIRST_GRACE", 0.4)
    with Supervisor([]) as supervisor:
        fresh, older = (
            Group(program(SLEEPER, is_stalled=lambda: True), supervisor._pipes[0]) for _ in range(2)
        )
        older.start()
        older._grace = 0.4
        time.sleep(0.5)
        fresh.start()
        fresh._grace = 60.0  # as after several stalls
        for group in (fresh, older):
            group.forgive()
        time.sleep(0.2)
        try:
            for group in (fresh, older):
                group.look()
            assert older.stalled
            assert not fresh.stalled
        finally:
            fresh.kill()
            older.kill()


@pytest.mark.slow
def test_nobody_is_judged_while_the_database_stands_still_and_answers_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("portal.process.supervisor.FIRST_GRACE", 0.5)
    monkeypatch.setattr("portal.process.supervisor.LONGEST_LOOK", 0.2)
    rounds: list[float] = []

    def ring() -> None:
        rounds.append(time.monotonic())
        time.sleep(0.4)

    with Supervisor([program(SLEEPER, is_stalled=lambda: True)], every_second=ring) as supervisor:
        first = only_group(supervisor).pid
        wait_until(lambda: len(rounds) >= 3)
        supervisor.tend()
        assert only_group(supervisor).pid == first


def test_an_answer_that_came_late_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.process.supervisor.FIRST_GRACE", 0.0)
    monkeypatch.setattr("portal.process.supervisor.GRACE_AFTER_OUTAGE", 0.0)
    monkeypatch.setattr("portal.process.supervisor.LONGEST_LOOK", 0.1)
    slowness = [0.2, 0.0]

    def answer() -> bool:
        time.sleep(slowness.pop(0))
        return True

    with Supervisor([]) as supervisor:
        group = Group(program(SLEEPER, is_stalled=answer), supervisor._pipes[0])
        group.start()
        try:
            group._grace = 0.0
            group.look()
            assert not group.stalled
            group.look()
            assert group.stalled
        finally:
            group.kill()


def test_a_stall_is_tended_to_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.process.supervisor.FIRST_GRACE", 0.0)
    with Supervisor([program(SLEEPER, is_stalled=lambda: True)]) as supervisor:
        began = time.monotonic()
        assert select.select([supervisor._wake], [], [], 5)[0]
        assert time.monotonic() - began < 3


def test_rings_on_after_an_error(caplog: pytest.LogCaptureFixture) -> None:
    rings: list[float] = []

    def ring() -> None:
        rings.append(time.monotonic())
        if len(rings) == 1:
            raise OSError("the database is away")

    with Supervisor([], every_second=ring):
        wait_until(lambda: len(rings) >= 2)
    wait_until(lambda: "works again" in caplog.text)


def test_kills_what_does_not_heed_term(tmp_path: Path) -> None:
    supervisor = Supervisor([program(STUBBORN, tmp_path / "up")])
    with supervisor:
        group = only_group(supervisor).pid
        wait_until((tmp_path / "up").exists)
        supervisor.stop(patience=0.3)
    wait_until(lambda: not members(group), seconds=1)


def test_ends_the_program_gently_and_takes_its_family_with_it(tmp_path: Path) -> None:
    with Supervisor([program(FAMILY, tmp_path / "up")]) as supervisor:
        group = only_group(supervisor).pid
        wait_until((tmp_path / "up").exists)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    wait_until(lambda: not members(group), seconds=1)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_leaves_nothing_running_however_it_ends(how: signal.Signals, tmp_path: Path) -> None:
    marker = str(tmp_path / "up-")
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISED, FAMILY, marker], cwd=ROOT, stdout=subprocess.PIPE, text=True
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
