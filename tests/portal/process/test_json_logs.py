"""With LOG_FORMAT=json every line that `serve` and its programs write is a record, whatever happens."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from django.conf import settings

from portal.devtools.processes import descendants, free_port, wait_until
from tests.support.metrics import TOKEN

pytestmark = pytest.mark.slow


def environ(folder: Path) -> dict[str, str]:
    return os.environ | {
        "PORTAL_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SECRET_KEY": "0123456789" * 6,
        "FIELD_ENCRYPTION_KEYS": "x" * 43 + "=",
        "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}",
        "REDIS_URL": "",
        "STATIC_ROOT": str(folder / "static"),
        "WEB_WORKERS": "2",
        "Q_WORKERS": "1",
        "LOG_FORMAT": "json",
        "METRICS_TOKEN": TOKEN,
        "SENTRY_DSN": "http://key@192.0.2.1/1",  # where nothing answers: events wait until the end
    }


def serve(port: int, folder: Path) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "manage.py", "serve", "--port", str(port)]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(argv, cwd=settings.BASE_DIR, env=environ(folder), stdout=log, stderr=log)


def records(folder: Path) -> list[dict[str, str]]:
    """Return the records of the log. Raises ValueError for a line that isn't JSON."""
    return [json.loads(line) for line in (folder / "log").read_text().splitlines()]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_every_line_of_serve_is_json(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    scraper = {"Authorization": f"Bearer {TOKEN}"}

    def get(path: str, **headers: str) -> str:
        try:
            with urlopen(Request(url + path, headers=headers), timeout=10) as answer:
                return str(answer.read().decode())
        except URLError as error:
            return f"{getattr(error, 'code', '')}"

    def processes_of(program: str) -> list[int]:
        return [pid for pid in descendants(process.pid) if program in command(pid)]

    process = serve(port, tmp_path)
    try:
        wait_until(lambda: "ok" in get("/healthz/work"), 90, "it doesn't work")
        for _ in range(40):
            assert "html" in get("/login/")
        assert get("/", host="other.example") == "400"
        counted = 'portal_request_seconds_count{status="200",view="login"} 40.0'
        assert {counted in get("/metrics", **scraper) for _ in range(10)} == {
            True
        }  # whichever process answers
        web, workers = max(processes_of("portal.asgi")), max(processes_of("qcluster"))
        os.kill(web, signal.SIGKILL)
        os.kill(workers, signal.SIGSTOP)
        replaced = "Replacing workers, which is frozen."
        wait_until(lambda: replaced in (tmp_path / "log").read_text(), 60, "the workers aren't replaced")
        assert counted in get("/metrics", **scraper)  # what the killed process counted too
        second = serve(port, tmp_path)
        assert second.wait(60) == 1
    finally:
        process.terminate()
        assert process.wait(60) == 0
    messages = [record["message"] for record in records(tmp_path)]
    for begin in (
        "Bringing the database",
        "Serving ",
        "Started web",
        "Unexpected exit",
        "CommandError: Can't listen",
    ):
        assert any(message.startswith(begin) for message in messages), begin


def test_a_traceback_that_nobody_logs_is_one_record(tmp_path: Path) -> None:
    code = (
        "import django; django.setup()\n"
        "from portal.logs import print_json\n"
        "print_json()\n"
        "print('begun:', 1, flush=True)\n"
        "raise KeyError('password=hunter2')\n"
    )
    argv = [sys.executable, "-c", code]
    run = subprocess.run(argv, cwd=settings.BASE_DIR, env=environ(tmp_path), capture_output=True, check=False)
    first, second = (json.loads(line) for line in run.stderr.decode().splitlines())
    assert (first["level"], first["message"]) == ("INFO", "begun: 1")
    assert second["level"] == "CRITICAL"
    assert "KeyError" in second["traceback"]
    assert "hunter2" not in run.stderr.decode()
    assert run.stdout == b""
    assert run.returncode == 1
