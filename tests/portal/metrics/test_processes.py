"""The processes of a web server tell of all requests together, of those of a killed process too."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from django.conf import settings

from portal.devtools.processes import descendants, free_port, wait_until
from tests.support.metrics import TOKEN

pytestmark = pytest.mark.slow


def serve(port: int, folder: Path) -> subprocess.Popen[bytes]:
    environ = os.environ | {
        "PORTAL_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SECRET_KEY": "0123456789" * 6,
        "FIELD_ENCRYPTION_KEYS": "x" * 43 + "=",
        "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}",
        "REDIS_URL": "",
        "WEB_WORKERS": "2",
        "Q_WORKERS": "1",
        "METRICS_TOKEN": TOKEN,
    }
    argv = [sys.executable, "manage.py", "serve", "--web", "--port", str(port)]
    return subprocess.Popen(argv, cwd=settings.BASE_DIR, env=environ, stderr=subprocess.DEVNULL)


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_each_process_tells_of_all_and_of_what_a_killed_one_counted(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def get(path: str) -> str:
        try:
            request = Request(url + path, headers={"Authorization": f"Bearer {TOKEN}"})
            with urlopen(request, timeout=10) as answer:
                return str(answer.read().decode())
        except OSError as error:
            return f"{getattr(error, 'code', '')}"

    process = serve(port, tmp_path)
    try:
        wait_until(lambda: "ok" in get("/healthz/ready"), 300, "it isn't ready")
        for _ in range(40):
            assert "html" in get("/accounts/login/")
        counted = 'portal_request_seconds_count{status="200",view="account_login"} 40.0'
        assert {counted in get("/metrics") for _ in range(10)} == {True}  # whichever process answers
        web = max(pid for pid in descendants(process.pid) if "gunicorn" in command(pid))
        os.kill(web, signal.SIGKILL)
        wait_until(lambda: counted in get("/metrics"), 30, "what the killed process counted is lost")
    finally:
        process.terminate()
        process.wait(60)
    assert process.returncode == 0
