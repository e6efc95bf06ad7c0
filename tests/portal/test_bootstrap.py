"""The set-up of `.venv`: made once, kept at the pinned versions, by pip or by uv. Each first run of CI does it."""

import ast
import fcntl
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from portal import bootstrap

ROOT = Path(__file__).resolve().parents[2]
PYTHON = str(getattr(sys, "_base_executable", sys.executable))
MISSING = "Packages are missing. Install them: cd {} && python3 -m portal.bootstrap"


def write_lists(checkout: Path, version: str) -> None:
    """Write the package lists with a version of `tiny`; those of `demo` and of the others have one package besides."""
    tiny = f"not-here==1.0 ; sys_platform == 'win32' \\\n    --hash=00\ntiny=={version} \\\n    --hash=00\n"
    lists = {
        "production": tiny,
        "demo": "shown[more]==3.0\n",
        "development": f"{tiny}shown==3.0\nextra==2.0\n",
    }
    for name, text in lists.items():
        (checkout / "portal" / "requirements" / f"{name}.txt").write_text(text)


def install(folder: Path, *packages: str) -> None:
    for package in packages:
        (folder / f"{package}.dist-info").mkdir(parents=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a checkout that has been set up nowhere yet, and a Python in no environment, without packages."""
    (tmp_path / "portal" / "requirements").mkdir(parents=True)
    write_lists(tmp_path, "1.0")
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    return tmp_path


@pytest.fixture
def venv(checkout: Path) -> Path:
    """The environment of the checkout, made by the portal."""
    venv = checkout / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(PYTHON)
    (venv / bootstrap.OURS).write_text(os.path.realpath(PYTHON))
    return venv


class Entered(Exception):
    """This process would have become the Python of the environment."""


def enter(checkout: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> list[tuple[str, ...]]:
    """Run a command of manage.py; return the package lists that were set up before it was entered."""
    set_up: list[tuple[str, ...]] = []

    def become(path: str, argv: list[str], environ: dict[str, str]) -> None:
        assert (path, argv[1:]) == (f"{checkout}/.venv/bin/python", ["manage.py", command])
        raise Entered

    monkeypatch.setattr(sys, "argv", ["manage.py", command])
    monkeypatch.setattr(bootstrap, "set_up", lambda _, names: set_up.append(names))
    monkeypatch.setattr(os, "execve", become)
    try:
        bootstrap.enter(str(checkout))
    except Entered:
        set_up.append(("entered",))
    return set_up


def test_a_first_run_of_a_developers_command_sets_up_what_it_needs(checkout, monkeypatch) -> None:
    assert enter(checkout, monkeypatch, "demo") == [("production", "demo"), ("entered",)]
    assert enter(checkout, monkeypatch, "test") == [("development",), ("entered",)]
    with pytest.raises(SystemExit, match=MISSING.format(checkout)):
        enter(checkout, monkeypatch, "serve")


def test_an_environment_of_ours_is_entered_and_kept_at_the_package_lists(checkout, venv, monkeypatch) -> None:
    assert enter(checkout, monkeypatch, "serve") == [("entered",)]
    monkeypatch.setattr(sys, "prefix", str(venv))
    install(checkout / "packages", "tiny-1.0", "shown-3.0")
    assert enter(checkout, monkeypatch, "serve") == enter(checkout, monkeypatch, "demo") == []
    write_lists(checkout, "1.1")
    assert enter(checkout, monkeypatch, "demo") == [("production", "demo"), ("entered",)]
    with pytest.raises(SystemExit, match=MISSING.format(checkout)):
        enter(checkout, monkeypatch, "serve")


def test_an_environment_that_somebody_else_made_is_used_as_it_is(checkout, monkeypatch) -> None:
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    install(checkout / "packages", "tiny-1.0", "shown-3.0")
    with pytest.raises(SystemExit, match=f"The environment in {sys.prefix} lacks: extra"):
        enter(checkout, monkeypatch, "test")
    write_lists(checkout, "1.1")
    assert enter(checkout, monkeypatch, "serve") == []


@pytest.fixture
def steps(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps of setting up so far; the second of them fails."""
    ran: list[str] = []

    def step(argv: list[str], **_: object) -> int:
        ran.append(" ".join(argv[:3]))
        if "venv" in argv:
            (checkout / ".venv/bin").mkdir()
            (checkout / ".venv/bin/python").symlink_to(PYTHON)
        return len(ran) == 2

    monkeypatch.setattr(subprocess, "call", step)
    monkeypatch.setattr(bootstrap, "find_python", lambda: "python3")
    return ran


@pytest.mark.parametrize("has_uv", [False, True])
def test_a_set_up_that_failed_is_no_environment_and_the_next_one_starts_over(
    checkout, steps, monkeypatch, has_uv
) -> None:
    venv = checkout / ".venv"
    monkeypatch.setattr(shutil, "which", lambda name: name if has_uv else None)
    with pytest.raises(SystemExit, match="Setting up failed at: "):
        bootstrap.set_up(str(checkout), bootstrap.PRODUCTION)
    assert not bootstrap.is_complete(str(venv))
    (venv / "leftover").touch()
    bootstrap.set_up(str(checkout), bootstrap.PRODUCTION)
    assert bootstrap.is_complete(str(venv))
    assert not (venv / "leftover").exists()
    made = (
        ["uv venv --quiet", "uv pip install"] if has_uv else ["python3 -m venv", f"{venv}/bin/python -m pip"]
    )
    assert steps == made * 2
    (venv / bootstrap.OURS).write_text("/opt/python3.12/bin/python3.12")  # it is gone
    assert not bootstrap.is_complete(str(venv))


def test_of_two_first_runs_at_once_one_waits_for_the_other(checkout, venv, steps, capsys) -> None:
    with (checkout / ".venv.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(0.3, fcntl.flock, [lock, fcntl.LOCK_UN]).start()
        bootstrap.set_up(str(checkout), bootstrap.PRODUCTION)
    assert steps == []
    assert capsys.readouterr().err == "Waiting for another run to finish setting up…\n"


def test_a_python_that_fits_is_found_behind_those_that_do_not(tmp_path, monkeypatch) -> None:
    for name, code in (("python3.14", 127), ("python3.13", 1), ("python3.12", 0), ("python3", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "_base_executable", str(tmp_path / "python3.14"), raising=False)
    assert bootstrap.find_python() == str(tmp_path / "python3.12")


def test_without_a_python_that_fits_it_is_said_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(subprocess, "call", lambda *_, **__: 1)
    with pytest.raises(SystemExit, match="On Debian 13: apt-get install python3-venv"):
        bootstrap.find_python()


@pytest.mark.parametrize("name", ["manage.py", "portal/__init__.py", "portal/bootstrap.py"])
def test_old_pythons_can_parse_it(name: str) -> None:
    ast.parse((ROOT / name).read_text(), feature_version=(3, 8))
