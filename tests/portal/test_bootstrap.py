import ast
import errno
import hashlib
import json
import os
import re
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
import importlib.util, os, sys
from portal import bootstrap
bootstrap.enter(os.path.dirname(os.path.abspath(__file__)))
import tiny
names = "tiny and extra" if importlib.util.find_spec("extra") else "tiny"
print(names, tiny.VERSION, os.path.realpath(sys.prefix), *sys.argv[1:])
"""
PYPROJECT = """
[project]
dependencies = ["tiny~=1.0", "django~=6.1"]
[dependency-groups]
dev = ["extra[fast]>=2"]
"""
SETTING_UP = "Setting up (first run only, about a minute)…"
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
    return f"{name} @ {wheel.as_uri()} --hash=sha256:{digest}\n"


def write_lists(checkout: Path, version: str) -> None:
    """Write both package lists with a version of `tiny`; the development list has `extra` besides."""
    requirements = checkout / "portal" / "requirements"
    tiny = make_wheel(checkout, "tiny", version)
    (requirements / "production.txt").write_text(tiny)
    (requirements / "development.txt").write_text(tiny + make_wheel(checkout, "extra", "2.0"))


def make_checkout(folder: Path) -> Path:
    (folder / "portal" / "requirements").mkdir(parents=True)
    (folder / "portal" / "__init__.py").touch()
    shutil.copy(ROOT / "portal" / "bootstrap.py", folder / "portal")
    (folder / "manage.py").write_text(MANAGE)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    write_lists(folder, "1.0")
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


def run_both_at_once(checkout: Path, *commands: str) -> list[str]:
    """Start two commands at once; return what they print, after checking that only one at a time sets up."""
    processes = [start(checkout, command) for command in commands]
    results = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    first_lines = sorted(errors.splitlines()[0] for _, errors in results)
    assert first_lines == [SETTING_UP, WAITING]
    return [output for output, _ in results]


@pytest.fixture(scope="module")
def production_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that two first runs set up at the same time, with the production list."""
    checkout = make_checkout(tmp_path_factory.mktemp("checkout"))
    outputs = run_both_at_once(checkout, "serve", "sweep")
    assert outputs == [f"tiny 1.0 {checkout}/.venv {name}\n" for name in ("serve", "sweep")]
    return checkout


@pytest.fixture
def checkout(production_checkout: Path) -> Iterator[Path]:
    """The same checkout; its package lists are restored afterwards."""
    yield production_checkout
    write_lists(production_checkout, "1.0")


def test_a_second_run_prints_nothing_and_passes_its_arguments_on(checkout: Path) -> None:
    assert run(checkout, "-k", "a b") == (0, f"tiny 1.0 {checkout}/.venv -k a b\n", "")


def test_it_returns_at_once_inside_its_own_environment(checkout: Path) -> None:
    assert run(checkout, python=f"{checkout}/.venv/bin/python") == (0, f"tiny 1.0 {checkout}/.venv\n", "")


@pytest.mark.parametrize("inside", [False, True])
def test_packages_are_installed_again_when_the_list_changed(checkout: Path, inside: bool) -> None:
    version = f"1.{1 + inside}"
    write_lists(checkout, version)
    python = f"{checkout}/.venv/bin/python" if inside else PYTHON
    code, output, errors = run(checkout, python=python)
    assert (code, output) == (0, f"tiny {version} {checkout}/.venv\n"), errors
    assert errors.startswith("Setting up")


def test_how_far_the_download_is_gets_printed_while_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "REPORT_SECONDS", 0.0)
    printed = (
        "Collecting tiny\\nDownloading tiny\\nCollecting extra\\nInstalling collected packages: tiny, extra\\n"
        "Successfully installed tiny extra"
    )
    with Path(os.devnull).open() as lock:
        steps = bootstrap.Steps(lock.fileno())
        steps.run("Reading", [PYTHON, "-c", f'print("{printed}")'], packages=2)
    texts = [line.partition(" s  ")[2] for line in capsys.readouterr().err.splitlines()]
    assert texts == [
        "Reading",
        "Downloading packages: 1 of 2",
        "Downloading packages: 1 of 2",
        "Downloading packages: 2 of 2",
        "Installing 2 packages",
    ]


def test_the_environment_is_rebuilt_when_its_interpreter_is_gone(checkout: Path) -> None:
    stamp = checkout / ".venv" / bootstrap.STAMP
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"python": "/opt/python3.12/bin/python3.12"}))
    leftover = checkout / ".venv" / "leftover"
    leftover.touch()
    code, output, errors = run(checkout)
    assert (code, output) == (0, f"tiny 1.0 {checkout}/.venv\n"), errors
    assert not leftover.exists()


@pytest.mark.parametrize("victim", ["group", "only the first process"])
def test_a_set_up_that_was_killed_is_repeated(tmp_path: Path, victim: str) -> None:
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
    assert (code, output) == (0, f"tiny 1.0 {checkout}/.venv\n"), errors
    first.communicate()


def test_a_failed_set_up_prints_the_failed_step_and_leaves_no_stamp(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path)
    packages = checkout / "portal" / "requirements" / "production.txt"
    packages.write_text(packages.read_text().replace("sha256:", "sha256:0"))
    code, output, errors = run(checkout)
    assert (code, output) == (1, "")
    assert "Setting up failed" in errors
    assert "Traceback" not in errors
    assert not (checkout / ".venv" / bootstrap.STAMP).exists()


def test_a_developer_command_installs_the_development_list_over_the_production_list(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path)
    assert run(checkout, "serve")[1] == f"tiny 1.0 {checkout}/.venv serve\n"
    survivor = checkout / ".venv" / "survivor"
    survivor.touch()
    code, output, errors = run(checkout, "demo")
    assert (code, output) == (0, f"tiny and extra 1.0 {checkout}/.venv demo\n")
    steps = [re.sub(r"^ +\d+\.\d s", "", line) for line in errors.splitlines()]
    assert steps == [SETTING_UP, "  Reading the list of packages", "  Installing 2 packages"]
    assert survivor.exists()
    assert run(checkout, "serve") == (0, f"tiny and extra 1.0 {checkout}/.venv serve\n", "")


def test_a_developer_and_an_operating_command_that_start_together_both_get_their_packages(
    tmp_path: Path,
) -> None:
    checkout = make_checkout(tmp_path)
    serve, demo = run_both_at_once(checkout, "serve", "demo")
    assert serve.endswith(f" 1.0 {checkout}/.venv serve\n")
    assert demo == f"tiny and extra 1.0 {checkout}/.venv demo\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["demo", "--check"], "development"),
        (["test"], "development"),
        (["bench"], "development"),
        (["chaos"], "development"),
        (["check_code"], "development"),
        (["serve"], "production"),
        (["qcluster"], "production"),
        (["sweep", "demo"], "production"),
        (["--help"], "production"),
        ([], "production"),
    ],
)
def test_only_developer_commands_need_the_development_list(arguments: list[str], expected: str) -> None:
    assert bootstrap.needed_list(str(ROOT), arguments) == expected


def test_the_production_list_is_enough_where_no_development_list_is_shipped(tmp_path: Path) -> None:
    assert bootstrap.needed_list(str(tmp_path), ["demo"]) == "production"


def test_another_environment_is_left_alone_and_its_missing_packages_are_named(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "checkout")
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", tmp_path / "other"], check=True)
    python = str(tmp_path / "other" / "bin" / "python")
    for command, names in (("serve", "tiny, django"), ("test", "tiny, django, extra")):
        code, output, errors = run(checkout, command, python=python)
        assert (code, output) == (1, "")
        assert f"{tmp_path}/other lacks: {names}." in errors
    assert not (checkout / ".venv").exists()


def test_an_environment_of_uv_is_entered_and_never_rebuilt(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path)
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", checkout / ".venv"], check=True)
    with (checkout / ".venv" / "pyvenv.cfg").open("a") as configuration:
        configuration.write("uv = 0.9.0\n")
    for python in (PYTHON, f"{checkout}/.venv/bin/python"):
        code, output, errors = run(checkout, "serve", python=python)
        assert (code, output) == (1, "")
        assert f"{checkout}/.venv lacks: tiny, django.\nInstall them there: uv sync" in errors


def test_a_python_with_the_packages_installed_is_used_as_it_is(
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


def test_a_read_only_checkout_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    checkout = make_checkout(tmp_path)
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SystemExit, match="can't be written"):
        bootstrap.set_up(str(checkout), "production")


@pytest.mark.parametrize("name", ["manage.py", "portal/__init__.py", "portal/bootstrap.py"])
def test_old_pythons_can_parse_it(name: str) -> None:
    ast.parse((ROOT / name).read_text(), feature_version=(3, 8))
