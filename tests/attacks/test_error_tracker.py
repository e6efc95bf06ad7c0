"""Nothing secret or personal reaches the error tracker or the log, wherever it was when something failed.

A process of its own reports to an HTTP server that stands for Sentry, through the SDK's own transport.
"""

import gzip
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings

PLANTED = "planted0secret"
pytestmark = pytest.mark.slow


@dataclass
class Sink:
    """What stands for Sentry: it keeps the bodies of all requests."""

    bodies: list[bytes] = field(default_factory=list)

    @property
    def text(self) -> str:
        return b"\n".join(self.bodies).decode()

    @property
    def events(self) -> list[dict[str, Any]]:
        lines = (json.loads(line) for body in self.bodies for line in body.splitlines() if line)
        return [line for line in lines if "level" in line]


@dataclass
class Run:
    """What the failing process told the tracker and what it logged."""

    sink: Sink
    log: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    sink = Sink()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(sink))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{server.server_port}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environ |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_ENV_FILE": os.devnull,
        "DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.sqlite3'}",
        "SECRET_KEY": "0123456789" * 6,
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DEBUG": "False",
        "ALLOWED_HOSTS": "localhost",
        "LOG_LEVEL": "DEBUG",
        "PYTHONPATH": str(settings.BASE_DIR),
        "SENTRY_DSN": f"http://public@{address}/1",
        "SINK": f"http://{address}",
        "PLANTED": PLANTED,
    }
    script = Path(__file__).with_name("error_tracker_client.py")
    done = subprocess.run(
        [sys.executable, str(script)], env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    server.shutdown()
    server.server_close()
    assert done.returncode == 0, done.stderr[-3000:]
    return Run(sink, done.stderr)


def _handler(sink: Sink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_zipped = self.headers.get("Content-Encoding") == "gzip"
            sink.bodies.append(gzip.decompress(body) if is_zipped else body)
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def test_the_tracker_is_told_of_each_error(run: Run) -> None:
    types = [one["type"] for event in run.sink.events for one in event.get("exception", {}).get("values", [])]
    assert types.count("Broken") >= 15
    assert "ValueError" in types
    assert any(event.get("transaction") == "/settings/" for event in run.sink.events)
    assert any(event.get("tags") == {"correlation_id": "delivery-17"} for event in run.sink.events)


def test_no_planted_secret_reaches_the_tracker(run: Run) -> None:
    found = [event for event in run.sink.events if PLANTED in json.dumps(event)]
    assert found == []
    assert PLANTED not in run.sink.text


def test_an_event_holds_where_it_happened_and_no_values(run: Run) -> None:
    events = [event for event in run.sink.events if event.get("exception")]
    frames = [
        frame
        for event in events
        for one in event["exception"]["values"]
        for frame in one["stacktrace"]["frames"]
    ]
    assert all(one["value"] == "…" for event in events for one in event["exception"]["values"])
    assert any(frame["function"] == "fail" and frame["lineno"] for frame in frames)
    assert not any("vars" in frame for frame in frames)
    assert not any(name in event for event in events for name in ("request", "user", "extra"))
    assert not any(event.get("breadcrumbs", {}).get("values") for event in events)


def test_a_wrong_host_header_is_no_event_and_one_line_of_the_log(run: Run) -> None:
    lines = run.log.splitlines()
    [at] = [number for number, line in enumerate(lines) if "Invalid HTTP_HOST header" in line]
    assert "WARNING" in lines[at]
    assert not lines[at + 1].startswith(("Traceback", "  "))
    assert "DisallowedHost" not in run.sink.text


def test_keys_in_addresses_never_reach_the_log(run: Run) -> None:
    assert "Internal Server Error: /webhooks/lever/…/" in run.log
    assert "Internal Server Error: /unsubscribe/…/" in run.log
    assert f"{PLANTED}/" not in run.log.replace(f"/activity/{PLANTED}/", "")
    assert f"email={PLANTED}" not in run.log
    assert f"code={PLANTED}" not in run.log
    assert f"{PLANTED}@" not in run.log
