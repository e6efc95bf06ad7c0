"""The set-up of `.venv`: made once, kept at the pinned versions, by pip or by uv."""

import ast
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

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
names = " and ".join(name for name in ("tiny", "shown", "extra") if importlib.util.find_spec(name))
print(names, tiny.VERSION, os.path.realpath(sys.prefix), *sys.argv[1:])
"""
SETTING_UP = "Setting up .venv (first run only, about a minute)…"
WAITING = "Waiting for another run to finish setting up…"
#: Does what uv would, and says so.
UV = f"""#!/bin/sh
echo "uv $1" >&2
for last; do :; done
case "$1" in
  venv) exec {PYTHON} -m venv "$last" ;;
  pip) shift 3; python=$1; shift; exec "$python" -m pip install --disable-pip-version-check "$@" ;;
esac
"""


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


def make_checkout(folder: Path) -> Path:
    (folder / "portal" / "requirements").mkdir(parents=True)
    (folder / "portal" / "__init__.py").touch()
    shutil.copy(ROOT / "portal" / "bootstrap.py", folder / "portal")
    (folder / "manage.py").write_text(MANAGE)
    write_lists(folder, "1.0")
    return folder


def start(checkout: Path, *arguments: str, python: str = PYTHON, uv: str = "") -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "COV_"))}
    return subprocess.Popen(
        [python, *(arguments if arguments[:1] == ("-m",) else (str(checkout / "manage.py"), *arguments))],
        env=environ | {"PYTHONDONTWRITEBYTECODE": "1", "PATH": f"{uv}:/usr/bin:/bin"},
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(checkout: Path, *arguments: str, python: str = PYTHON, uv: str = "") -> tuple[int, str, str]:
    process = start(checkout, *arguments, python=python, uv=uv)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def test_an_environment_is_made_once_and_then_kept_at_the_package_lists(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path)
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

    (checkout / ".venv" / bootstrap.OURS).write_text("/opt/python3.12/bin/python3.12")  # it is gone
    (checkout / ".venv" / "leftover").touch()
    code, output, errors = run(checkout, "test")
    assert (code, output) == (0, f"{both} 1.2 {checkout}/.venv test\n"), errors
    assert not (checkout / ".venv" / "leftover").exists()


def test_what_was_not_set_up_or_killed_or_failed_is_named_until_it_is_repeated(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path)
    missing = f"Packages are missing. Install them: cd {checkout} && python3 -m portal.bootstrap\n"
    assert run(checkout, "serve") == (1, "", missing)
    assert not (checkout / ".venv").exists()

    first = start(checkout, "demo")
    deadline = time.monotonic() + 60
    while not (checkout / ".venv" / "bin" / "python").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert run(checkout, "serve")[0] == 1

    packages = checkout / "portal" / "requirements" / "development.txt"
    packages.write_text(packages.read_text().replace("sha256:", "sha256:0"))
    code, output, errors = run(checkout, "test")
    assert (code, output) == (1, "")
    assert "Setting up failed at: " in errors
    assert "Traceback" not in errors

    write_lists(checkout, "1.0")
    assert run(checkout, "-m", "portal.bootstrap")[0] == 0
    assert run(checkout, "serve") == (0, f"tiny 1.0 {checkout}/.venv serve\n", "")
    code, output, errors = run(checkout, "demo")
    assert (code, output) == (0, f"tiny and shown 1.0 {checkout}/.venv demo\n"), errors


def test_uv_makes_and_fills_the_environment_where_it_is(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "checkout")
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(UV)
    uv.chmod(0o755)
    code, output, errors = run(checkout, "demo", uv=str(uv.parent))
    assert (code, output) == (0, f"tiny and shown 1.0 {checkout}/.venv demo\n"), errors
    assert errors.splitlines() == [SETTING_UP, "uv venv", "uv pip"]


def test_an_environment_that_somebody_else_made_is_used_as_it_is(tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path / "checkout")
    for folder in (tmp_path / "other", checkout / ".venv"):
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder], check=True)
    python = str(tmp_path / "other" / "bin" / "python")
    for command, names in (("serve", "tiny"), ("test", "tiny, shown, extra")):
        code, output, errors = run(checkout, command, python=python)
        assert (code, output) == (1, "")
        assert f"{tmp_path}/other lacks: {names}." in errors
    [packages] = (checkout / ".venv" / "lib").glob("python*/site-packages")
    zipfile.ZipFile(checkout / "tiny-1.0-py3-none-any.whl").extractall(packages)
    write_lists(checkout, "1.1")
    assert run(checkout, "serve") == (0, f"tiny 1.0 {checkout}/.venv serve\n", "")
    assert f"{checkout}/.venv lacks: shown, extra." in run(checkout, "test")[2]


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
    monkeypatch.setattr(bootstrap, "QUESTION", "import nothing_like_this")
    with pytest.raises(SystemExit, match="On Debian 13: apt-get install python3-venv"):
        bootstrap.find_python()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["demo", "--check"], "production demo"),
        (["test"], "development"),
        (["sweep", "demo"], "production"),
        ([], "production"),
    ],
)
def test_only_developer_commands_need_more_than_the_production_list(
    arguments: list[str], expected: str
) -> None:
    assert bootstrap.needed_lists(str(ROOT), arguments) == tuple(expected.split())


@pytest.mark.parametrize("name", ["manage.py", "portal/__init__.py", "portal/bootstrap.py"])
def test_old_pythons_can_parse_it(name: str) -> None:
    ast.parse((ROOT / name).read_text(), feature_version=(3, 8))
