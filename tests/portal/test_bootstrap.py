import ast
import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal import bootstrap

pytestmark = pytest.mark.slow  # it makes environments

ROOT = Path(__file__).resolve().parents[2]
PYTHON = str(getattr(sys, "_base_executable", sys.executable))
MANAGE = """
import os, sys
from portal import bootstrap
bootstrap.enter(os.path.dirname(os.path.abspath(__file__)))
import tiny
print(tiny.VERSION, os.path.realpath(sys.prefix), *sys.argv[1:])
"""


def make_wheel(folder: Path, version: str) -> str:
    """Make a package of one module; return the line that requires it by its hash."""
    wheel = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"tiny @ {wheel.as_uri()} --hash=sha256:{digest}\n"


def make_checkout(folder: Path) -> Path:
    requirements = folder / "portal" / "requirements"
    requirements.mkdir(parents=True)
    (folder / "portal" / "__init__.py").touch()
    shutil.copy(ROOT / "portal" / "bootstrap.py", folder / "portal")
    (folder / "manage.py").write_text(MANAGE)
    (requirements / "production.in").write_text("# what it needs\ntiny~=1.0\ndjango~=6.1\n")
    (requirements / "development.txt").write_text(make_wheel(folder, "1.0"))
    return folder


def environment() -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "COV_"))}
    return environ | {"PYTHONDONTWRITEBYTECODE": "1"}


def start(checkout: Path, *arguments: str, python: str = PYTHON) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [python, str(checkout / "manage.py"), *arguments],
        env=environment(),
        cwd=checkout.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(checkout: Path, *arguments: str, python: str = PYTHON) -> tuple[int, str, str]:
    process = start(checkout, *arguments, python=python)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that was set up by two first runs at once."""
    checkout = make_checkout(tmp_path_factory.mktemp("checkout"))
    both = [start(checkout, name) for name in ("one", "two")]
    results = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], results
    assert [output for output, _ in results] == [f"1.0 {checkout}/.venv {name}\n" for name in ("one", "two")]
    assert sorted(errors.splitlines()[0] for _, errors in results) == [
        "Setting up (first run only, about half a minute)…",
        "Waiting for another run to finish setting up…",
    ]
    return checkout


@pytest.fixture
def checkout(ready: Path) -> Iterator[Path]:
    """The same, put back as it was afterwards."""
    packages = ready / "portal" / "requirements" / "development.txt"
    kept = packages.read_text()
    yield ready
    packages.write_text(kept)


def test_runs_again_without_a_word_and_hands_the_arguments_on(checkout: Path) -> None:
    assert run(checkout, "-k", "a b") == (0, f"1.0 {checkout}/.venv -k a b\n", "")


def test_is_content_inside_its_own_environment(checkout: Path) -> None:
    assert run(checkout, python=f"{checkout}/.venv/bin/python") == (0, f"1.0 {checkout}/.venv\n", "")


@pytest.mark.parametrize("inside", [False, True])
def test_installs_again_when_the_list_changed(checkout: Path, inside: bool) -> None:
    version = f"1.{1 + inside}"
    (checkout / "portal" / "requirements" / "development.txt").write_text(make_wheel(checkout, version))
    python = f"{checkout}/.venv/bin/python" if inside else PYTHON
    code, output, errors = run(checkout, python=python)
    assert (code, output) == (0, f"{version} {checkout}/.venv\n"), errors
    assert errors.startswith("Setting up")


def test_builds_anew_when_the_interpreter_is_gone(checkout: Path) -> None:
    stamp = checkout / ".venv" / bootstrap.STAMP
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"python": "/opt/python3.12/bin/python3.12"}))
    leftover = checkout / ".venv" / "leftover"
    leftover.touch()
    code, output, errors = run(checkout)
    assert (code, output) == (0, f"1.0 {checkout}/.venv\n"), errors
    assert not leftover.exists()


@pytest.mark.parametrize("victim", ["group", "only the first process"])
def test_repairs_a_run_that_was_killed_half_way(tmp_path: Path, victim: str) -> None:
    checkout = make_checkout(tmp_path)
    first = start(checkout)
    deadline = time.monotonic() + 60
    while not (checkout / ".venv" / "bin" / "python").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    if victim == "group":
        os.killpg(first.pid, signal.SIGKILL)
    else:
        first.kill()
    first.wait()
    assert not (checkout / ".venv" / bootstrap.STAMP).exists()
    code, output, errors = run(checkout)
    assert (code, output) == (0, f"1.0 {checkout}/.venv\n"), errors
    first.communicate()


def test_says_what_failed_and_leaves_no_stamp(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path)
    packages = checkout / "portal" / "requirements" / "development.txt"
    packages.write_text(packages.read_text().replace("sha256:", "sha256:0"))
    code, output, errors = run(checkout)
    assert (code, output) == (1, "")
    assert "Setting up failed" in errors
    assert "Traceback" not in errors
    assert not (checkout / ".venv" / bootstrap.STAMP).exists()


def test_steps_aside_inside_another_environment_and_names_what_it_lacks(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "checkout")
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", tmp_path / "other"], check=True)
    code, output, errors = run(checkout, python=str(tmp_path / "other" / "bin" / "python"))
    assert (code, output) == (1, "")
    assert f"{tmp_path}/other lacks: tiny, django." in errors
    assert not (checkout / ".venv").exists()


def test_steps_aside_where_the_packages_were_installed_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = make_checkout(tmp_path)
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.setattr(bootstrap, "installed", {"django": "6.1.9", "tiny": "1.0"}.get)
    bootstrap.enter(str(checkout))
    monkeypatch.setattr(bootstrap, "installed", {"django": "6.1.9"}.get)
    with pytest.raises(SystemExit, match="lacks: tiny"):
        bootstrap.enter(str(checkout))
    assert not (checkout / ".venv").exists()


def make_python(path: Path, answer: object) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n" if answer else "#!/bin/sh\nexit 127\n")
    path.chmod(0o755)
    return str(path)


def test_passes_over_shims_old_pythons_and_those_without_venv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pythons = [
        make_python(tmp_path / "shim", None),
        make_python(tmp_path / "old", ["/old/python3", [3, 11], True]),
        make_python(tmp_path / "bare", ["/bare/python3", [3, 13], False]),
        make_python(tmp_path / "new", ["/new/python3", [3, 15], True]),
    ]
    good = make_python(tmp_path / "good", ["/good/python3", [3, 12], True])
    monkeypatch.setattr(bootstrap, "candidates", lambda: iter([*pythons, good]))
    assert bootstrap.find_interpreter() == "/good/python3"
    monkeypatch.setattr(bootstrap, "candidates", lambda: iter(pythons))
    with pytest.raises(SystemExit, match=r"/bare/python3 can't make .* apt-get install python3-venv"):
        bootstrap.find_interpreter()
    monkeypatch.setattr(bootstrap, "candidates", lambda: iter(pythons[:2]))
    with pytest.raises(SystemExit, match=r"needs Python 3.12 to 3.14; found only: 3.11 \(/old/python3\)"):
        bootstrap.find_interpreter()


def test_looks_on_the_path_and_among_pyenvs_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = make_python(tmp_path / "bin" / "python3.13", None)
    of_pyenv = make_python(tmp_path / "pyenv" / "versions" / "3.12.9" / "bin" / "python3", None)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    found = list(bootstrap.candidates())
    assert found.index(on_path) < found.index(of_pyenv)


def test_says_what_to_do_in_a_read_only_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    checkout = make_checkout(tmp_path)
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SystemExit, match="can't be written"):
        bootstrap.set_up(str(checkout))


@pytest.mark.parametrize("name", ["manage.py", "portal/__init__.py", "portal/bootstrap.py"])
def test_old_pythons_can_read_it(name: str) -> None:
    ast.parse((ROOT / name).read_text(), feature_version=(3, 8))


def test_the_lists_are_pinned_hashed_and_name_no_host() -> None:
    for name in ("production", "development"):
        text = (ROOT / "portal" / "requirements" / f"{name}.txt").read_text()
        pinned = [line for line in text.splitlines() if "==" in line and not line.startswith(("#", " "))]
        assert len(pinned) > 20
        assert text.count("--hash=sha256:") >= len(pinned)
        assert "://" not in text
        assert "index-url" not in text
