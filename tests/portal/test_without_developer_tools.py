"""The portal without its developer tools: the files of the image, and none of the development packages."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import requests

from portal.devtools.processes import free_port

pytestmark = pytest.mark.slow  # it starts many processes

ROOT = Path(__file__).resolve().parents[2]
DEVELOPER_COMMANDS = {"bench", "chaos", "check_code", "demo", "supply_chain", "test"}
OPERATING_COMMANDS = {
    "approve",
    "backtest",
    "configure",
    "doctor",
    "export",
    "export_config",
    "poll",
    "replay",
    "resolve",
    "serve",
    "sweep",
}
ACME = """
[organization]
name = "Acme"
slug = "acme"
[[members]]
username = "owner"
email = "owner@acme.example"
role = "super_admin"
"""
#: Makes the interpreter refuse the development packages, which this environment has.
SITECUSTOMIZE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(name + " is a development package", name=name)
sys.meta_path.insert(0, Refuse())
"""


def copy_image_files(target: Path) -> None:
    """Copy what .dockerignore lets into the image: the names after "!", without the paths that follow."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    excluded = {ROOT / line for line in lines if line and line[0] not in "#*!"}

    def ignore(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if name == "__pycache__" or Path(folder, name) in excluded}

    for name in [line[1:] for line in lines if line.startswith("!")]:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, target / name)


def development_modules() -> set[str]:
    """Return the top-level modules of the packages that only the development list has."""
    names = {
        kind: set(re.findall(r"^([a-z][a-z0-9-]*)==", text, re.MULTILINE))
        for kind in ("production", "development")
        for text in [(ROOT / "portal" / "requirements" / f"{kind}.txt").read_text()]
    }
    only_development = names["development"] - names["production"]
    return {
        module
        for module, packages in metadata.packages_distributions().items()
        if {re.sub(r"[-_.]+", "-", package).lower() for package in packages} <= only_development
    }


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the image, and a module beside it that refuses development packages."""
    folder = tmp_path_factory.mktemp("image")
    copy_image_files(folder)
    refusing = tmp_path_factory.mktemp("refusing")
    blocked = development_modules()
    assert {"pytest", "mypy", "schemathesis", "werkzeug"} <= blocked
    (refusing / "sitecustomize.py").write_text(SITECUSTOMIZE.format(blocked=blocked))
    (folder / "refusing").symlink_to(refusing)
    (folder / "acme.toml").write_text(ACME)
    return folder


def environment(image: Path, port: int = 8000) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": str(image / "refusing"),
        "PORTAL_ENV_FILE": os.devnull,
        "PORTAL_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(b"k" * 32).decode(),
        "DATABASE_URL": f"sqlite:///{image / 'portal.sqlite3'}",
    }


def manage(image: Path, *arguments: str) -> tuple[int, str, str]:
    run = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=image,
        env=environment(image),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in run.stderr, run.stderr
    return run.returncode, run.stdout, run.stderr


def test_the_image_holds_neither_developer_tools_nor_tests(image: Path) -> None:
    assert not (image / "portal" / "devtools").exists()
    assert not (image / "tests").exists()
    assert not (image / "portal" / "requirements" / "development.txt").exists()
    assert (image / "portal" / "requirements" / "production.txt").exists()


def test_only_operating_commands_are_offered(image: Path) -> None:
    code, output, _ = manage(image, "--help")
    commands = set(re.findall(r"^ +(\w+)$", output, re.MULTILINE))
    assert code == 0
    assert commands >= OPERATING_COMMANDS | {"check", "collectstatic", "migrate", "qcluster"}
    assert not commands & DEVELOPER_COMMANDS


#: Operating commands in the order in which they are run, each with its exit code.
RUNS = {
    "check": 0,
    "migrate": 0,
    "collectstatic --noinput --verbosity 0": 0,
    "configure acme.toml --dry-run": 0,
    "configure acme.toml": 0,
    "export_config acme": 0,
    "backtest acme acme.toml": 0,
    "export deliveries acme": 0,
    "sweep acme": 0,
    "poll acme": 0,
    "doctor acme --json": 1,  # Lever is not connected
    "replay 1": 1,  # there is no delivery
    "approve 1": 1,  # and no invitation
    "resolve 1 --send-again": 1,
}
#: Runs manage.py for each line of its argument in one process, which begins once instead of fourteen times.
DRIVER = """
import contextlib, io, json, runpy, sys, traceback
runs = {}
for command in sys.argv[1].splitlines():
    said, code, sys.argv = io.StringIO(), 0, ["manage.py", *command.split()]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            runpy.run_path("manage.py", run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
    runs[command] = code, said.getvalue()
print(json.dumps(runs))
"""


def test_every_operating_command_works(image: Path, subtests: pytest.Subtests) -> None:
    run = subprocess.run(
        [sys.executable, "-c", DRIVER, "\n".join(RUNS)],
        cwd=image,
        env=environment(image),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    done = json.loads(run.stdout)
    for command, expected_code in RUNS.items():
        with subtests.test(command):
            code, said = done[command]
            assert "Traceback" not in said, said
            assert code == expected_code, said


@pytest.fixture
def portal_url(image: Path) -> Iterator[str]:
    """The address of a portal that `serve` runs; at the end TERM has to stop it within 30 seconds."""
    port = free_port()
    serve = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port)],
        cwd=image,
        env=environment(image, port),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        serve.send_signal(signal.SIGTERM)
        _, errors = serve.communicate(timeout=30)
    assert serve.returncode == 0, errors
    assert "Traceback" not in errors, errors


def test_serve_becomes_ready_and_ends_on_term(portal_url: str) -> None:
    deadline = time.monotonic() + 60
    while not answers_200(f"{portal_url}/healthz/ready"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert requests.get(f"{portal_url}/login/", timeout=60).status_code == 200


def answers_200(url: str) -> bool:
    try:
        return requests.get(url, timeout=60).status_code == 200
    except requests.ConnectionError:
        return False
