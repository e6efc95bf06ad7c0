"""The image: what the steps of the Dockerfile make, without developer tools, in folders that nobody may write."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from portal.devtools.processes import free_port

pytestmark = pytest.mark.slow  # it starts many processes

ROOT = Path(__file__).resolve().parents[2]
ACME = """
[organization]
name = "Acme"
slug = "acme"
[[members]]
username = "owner"
email = "owner@acme.example"
role = "super_admin"
"""
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
BUILD, FINAL = DOCKERFILE.split("\nFROM ")[1:]
NOBODY = 65534


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


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """A folder in which the steps of the Dockerfile's first stage were run, as the root of an image.

    Only the folder `data` in it can be written by who runs the commands, a user without rights where that is possible.
    """
    with tempfile.TemporaryDirectory(prefix="portal-image-") as name:
        root = Path(name)
        root.chmod(0o755)
        tools, portal, data = root / "tools", root / "srv" / "portal", root / "data"
        for folder in (tools, portal, data):
            folder.mkdir(parents=True)
        for tool, command in {"python": "", "pip": "-m pip"}.items():
            (tools / tool).write_text(f'#!/bin/sh\nexec {sys.executable} {command} "$@"\n')
            (tools / tool).chmod(0o755)
        copy_image_files(portal)
        environ = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/")}
        for step in re.findall(r"^RUN (.*)$", BUILD, re.MULTILINE):
            argv = ["sh", "-ec", step.replace("/opt/portal", f"{root}/opt/portal")]
            run = subprocess.run(argv, cwd=portal, env=environ, capture_output=True, text=True, check=False)
            assert run.returncode == 0, run.stdout + run.stderr
        (data / "acme.toml").write_text(ACME)
        data.chmod(0o777)
        for folder in (root / "opt", root / "srv"):
            subprocess.run(["chmod", "-R", "go-w,a-w", str(folder)], check=True)
        yield root
        subprocess.run(["chmod", "-R", "u+w", str(root)], check=True)


def environment(image: Path, port: int = 8000) -> dict[str, str]:
    return {
        "PATH": f"{image}/opt/portal/bin:{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PORTAL_ENV_FILE": os.devnull,
        "PORTAL_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(b"k" * 32).decode(),
        "DATABASE_URL": f"sqlite:///{image}/data/portal.sqlite3",
    }


def run_python(image: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the image's Python as its user."""
    return subprocess.run(
        [f"{image}/opt/portal/bin/python", *arguments],
        cwd=image / "srv" / "portal",
        env=environment(image) | variables,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        user=NOBODY if os.geteuid() == 0 else None,
    )


def test_the_image_has_an_init_and_a_user_whose_number_kubernetes_can_check() -> None:
    assert "pip uninstall --yes pip" in FINAL
    assert re.findall(r"^COPY (.*?) ", FINAL, re.MULTILINE) == ["--from=build", "--from=build"]
    assert 'ENTRYPOINT ["tini", "--"]' in FINAL
    [user] = re.findall(r"^USER (\d+)$", FINAL, re.MULTILINE)
    assert f"useradd --system --no-create-home --uid {user} " in FINAL


def test_the_standard_library_is_compiled_since_nothing_is_written_later() -> None:
    for stage, folders in ((BUILD, "integrations portal"), (FINAL, "/usr/local/lib/python3.*")):
        assert f"compileall -q --invalidation-mode unchecked-hash {folders}" in stage


#: Operating commands in the order in which they are run, each with its exit code.
RUNS = {
    "check": 0,
    "configure {data}/acme.toml --dry-run": 0,  # the first that needs the database migrates it
    "configure {data}/acme.toml": 0,
    "migrate": 0,
    "export_config acme": 0,
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


#: With these nothing is left to check before a deployment.
PRODUCTION = {
    "PORTAL_URL": "https://portal.example.com",
    "TRUSTED_PROXIES": "1",
    "LEVER_CLIENT_ID": "id",
    "LEVER_CLIENT_SECRET": "secret",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    "DEFAULT_FROM_EMAIL": "portal@example.com",
}


def test_the_image_does_all_that_operators_do_without_developer_tools(
    image: Path, subtests: pytest.Subtests
) -> None:
    """In one test, since the image takes long to make."""
    with subtests.test("it holds neither developer tools nor tests nor pip"):
        portal = image / "srv" / "portal"
        for absent in ("portal/devtools", "tests", "portal/requirements/development.txt"):
            assert not (portal / absent).exists()
        present = "import importlib.util as u; print([n for n in {} if u.find_spec(n)])"
        names = ["django", "gunicorn", "pip", "pytest", "mypy", "werkzeug"]
        assert run_python(image, "-c", present.format(names)).stdout == "['django', 'gunicorn']\n"
    with subtests.test("nothing is left to check"):
        run = run_python(image, "manage.py", "check", "--deploy", **PRODUCTION)
        assert (run.returncode, run.stderr) == (0, "")
    runs = {command.format(data=image / "data"): code for command, code in RUNS.items()}
    run = run_python(image, "-c", DRIVER, "\n".join(runs))
    assert run.returncode == 0, run.stderr
    done = json.loads(run.stdout)
    for command, expected_code in runs.items():
        with subtests.test(command):
            code, said = done[command]
            assert "Traceback" not in said, said
            assert code == expected_code, said
            assert ("Bringing the database up to date" in said) is command.endswith("--dry-run")
    with subtests.test("serve"), serving(image) as url:
        deadline = time.monotonic() + 60
        while not answers_200(f"{url}/healthz/ready"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert requests.get(f"{url}/accounts/login/", timeout=60).status_code == 200


@contextmanager
def serving(image: Path) -> Iterator[str]:
    """Let `serve` run, and give its address; at the end TERM has to stop it within 30 seconds."""
    port = free_port()
    serve = subprocess.Popen(
        [f"{image}/opt/portal/bin/python", "manage.py", "serve", "--port", str(port)],
        cwd=image / "srv" / "portal",
        env=environment(image, port),
        user=NOBODY if os.geteuid() == 0 else None,
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


def answers_200(url: str) -> bool:
    try:
        return requests.get(url, timeout=60).status_code == 200
    except requests.ConnectionError:
        return False
