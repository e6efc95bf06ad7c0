"""The set-up of `.venv`: made once, kept at the pinned versions, by pip or by uv."""

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from portal import bootstrap

ROOT = Path(__file__).resolve().parents[2]
PYTHON = str(getattr(sys, "_base_executable", sys.executable))
MANAGE = """
import importlib.util, os, sys
from portal import bootstrap
bootstrap.enter(os.path.dirname(os.path.abspath(__file__)))
import tiny
names = " and ".join(name for name in ("tiny", "shown", "extra") if importlib.util.find_spec(name))
print(names, tiny.VERSION, os.path.realpath(sys.prefix), *sys.argv[1:])
"""
SETTING_UP = "Setting up .venv (first run only, about a minute)…"
WAITING = "Waiting for another run to finish setting up…"


def make_wheel(folder: Path, name: str, version: str) -> str:
    """Make a package of one module; return the line that requires it by its hash."""
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    members = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in members.items():
            archive.writestr(zipfile.ZipInfo(path), text)  # without the time, so that the hash stays the same
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{name}=={version} \\\n    --hash=sha256:{digest}\n"


def write_lists(checkout: Path, version: str) -> None:
    """Write the package lists with a version of `tiny`; those of `demo` and of the others have one package besides."""
    requirements = checkout / "portal" / "requirements"
    head = f"--no-index\n--find-links {checkout}\nnot-here==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
    tiny = head + make_wheel(checkout, "tiny", version)
    (requirements / "production.txt").write_text(tiny)
    shown = make_wheel(checkout, "shown", "3.0")
    (requirements / "demo.txt").write_text(f"--no-index\n--find-links {checkout}\n" + shown)
    (requirements / "development.txt").write_text(tiny + shown + make_wheel(checkout, "extra", "2.0"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The folder of a checkout that has been set up nowhere yet."""
    (tmp_path / "portal" / "requirements").mkdir(parents=True)
    (tmp_path / "portal" / "__init__.py").touch()
    shutil.copy(ROOT / "portal" / "bootstrap.py", tmp_path / "portal")
    (tmp_path / "manage.py").write_text(MANAGE)
    write_lists(tmp_path, "1.0")
    return tmp_path


def start(checkout: Path, *arguments: str, python: str = PYTHON) -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "COV_"))}
    return subprocess.Popen(
        [python, str(checkout / "manage.py"), *arguments],
        env=environ | {"PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"},
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(checkout: Path, *arguments: str, python: str = PYTHON) -> tuple[int, str, str]:
    process = start(checkout, *arguments, python=python)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


@pytest.mark.slow  # it makes environments
def test_an_environment_is_made_once_and_then_kept_at_the_package_lists(checkout: Path) -> None:
    both = "tiny and shown and extra"
    # two first runs at the same time: one waits, and then adds what it lacks
    processes = [start(checkout, command) for command in ("demo", "test")]
    results = [process.communicate(timeout=120) for process in processes]
    assert [output.partition(" 1.0 ")[2] for output, _ in results] == [
        f"{checkout}/.venv {command}\n" for command in ("demo", "test")
    ]
    assert results[1][0].startswith(both)
    assert sorted(errors.splitlines()[0] for _, errors in results) == [SETTING_UP, WAITING]

    assert run(checkout, "test", "-k", "a b") == (0, f"{both} 1.0 {checkout}/.venv test -k a b\n", "")

    for version, python in (("1.1", PYTHON), ("1.2", f"{checkout}/.venv/bin/python")):
        write_lists(checkout, version)
        code, output, errors = run(checkout, "serve", python=python)
        assert (code, output) == (1, "")
        assert "python3 -m portal.bootstrap" in errors
        code, output, errors = run(checkout, "demo", python=python)
        assert (code, output) == (0, f"{both} {version} {checkout}/.venv demo\n"), errors
        assert errors.splitlines() == [SETTING_UP]


def test_a_command_that_installs_nothing_says_what_to_run_where_packages_are_missing(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "serve"])
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)  # in no environment
    with pytest.raises(SystemExit, match=f"Install them: cd {checkout} && python3 -m portal.bootstrap"):
        bootstrap.enter(str(checkout))
    assert not (checkout / ".venv").exists()


def test_an_environment_that_somebody_else_made_is_used_as_it_is(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "test"])
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    monkeypatch.setattr(sys, "path", [str(checkout)])
    for name in ("tiny", "shown"):
        [wheel] = checkout.glob(f"{name}-*.whl")
        zipfile.ZipFile(wheel).extractall(checkout)
    with pytest.raises(SystemExit, match=f"The environment in {sys.prefix} lacks: extra"):
        bootstrap.enter(str(checkout))
    sys.argv[1] = "serve"
    write_lists(checkout, "1.1")
    bootstrap.enter(str(checkout))


@pytest.mark.parametrize("has_uv", [False, True])
def test_a_set_up_that_failed_is_no_environment_and_the_next_one_starts_over(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, has_uv: bool
) -> None:
    ran: list[str] = []

    def step(argv: list[str], **_: object) -> int:
        ran.append(" ".join(argv[:3]))
        if "venv" in argv:
            (checkout / ".venv/bin").mkdir()
            (checkout / ".venv/bin/python").symlink_to(PYTHON)
        return len(ran) == 2

    python = f"{checkout}/.venv/bin/python"
    monkeypatch.setattr(subprocess, "call", step)
    monkeypatch.setattr(shutil, "which", lambda name: name if has_uv else None)
    monkeypatch.setattr(bootstrap, "find_python", lambda: "python3")
    with pytest.raises(SystemExit, match="Setting up failed at: "):
        bootstrap.set_up(str(checkout), bootstrap.PRODUCTION)
    assert not bootstrap.is_complete(f"{checkout}/.venv")
    (checkout / ".venv" / "leftover").touch()
    bootstrap.set_up(str(checkout), bootstrap.PRODUCTION)
    assert bootstrap.is_complete(f"{checkout}/.venv")
    assert not (checkout / ".venv" / "leftover").exists()
    steps = ["uv venv --quiet", "uv pip install"] if has_uv else ["python3 -m venv", f"{python} -m pip"]
    assert ran == steps * 2
    (checkout / ".venv" / bootstrap.OURS).write_text("/opt/python3.12/bin/python3.12")  # it is gone
    assert not bootstrap.is_complete(f"{checkout}/.venv")


def test_a_python_that_fits_is_found_behind_those_that_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, code in (("python3.14", 127), ("python3.13", 1), ("python3.12", 0), ("python3", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "_base_executable", str(tmp_path / "python3.14"), raising=False)
    assert bootstrap.find_python() == str(tmp_path / "python3.12")


def test_without_a_python_that_fits_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "call", lambda *_, **__: 1)
    with pytest.raises(SystemExit, match="On Debian 13: apt-get install python3-venv"):
        bootstrap.find_python()


@pytest.mark.parametrize("name", ["manage.py", "portal/__init__.py", "portal/bootstrap.py"])
def test_old_pythons_can_parse_it(name: str) -> None:
    ast.parse((ROOT / name).read_text(), feature_version=(3, 8))
