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
from itertools import pairwise
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


def fail_in_a_process(sink: Sink, folder: Path) -> str:
    """Let a process fail in many ways. Return what it logged."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(sink))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{server.server_port}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environ |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_ENV_FILE": os.devnull,
        "DATABASE_URL": f"sqlite:///{folder / 'test.sqlite3'}",
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
    return done.stderr


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


def test_the_tracker_is_told_what_failed_and_where_and_nobody_is_told_a_secret(tmp_path: Path) -> None:
    sink = Sink()
    log = fail_in_a_process(sink, tmp_path)
    assert_all_is_told(sink)
    assert PLANTED not in sink.text
    assert_no_value_is_told(sink)
    assert_keys_in_addresses_are_masked(log)
    # a wrong host header is no event, and one line of the log
    assert "DisallowedHost" not in sink.text
    [(line, after)] = [pair for pair in pairwise(log.splitlines()) if "Invalid HTTP_HOST header" in pair[0]]
    assert "WARNING" in line
    assert not after.startswith(("Traceback", "  "))


def exceptions(sink: Sink) -> list[dict[str, Any]]:
    return [one for event in sink.events for one in event.get("exception", {}).get("values", [])]


def assert_all_is_told(sink: Sink) -> None:
    types = [one["type"] for one in exceptions(sink)]
    assert types.count("Broken") >= 15
    assert "ValueError" in types
    assert any(event.get("transaction") == "/settings/" for event in sink.events)
    assert any(event.get("tags") == {"correlation_id": "delivery-17"} for event in sink.events)


def assert_no_value_is_told(sink: Sink) -> None:
    frames = [frame for one in exceptions(sink) for frame in one["stacktrace"]["frames"]]
    assert {one["value"] for one in exceptions(sink)} == {"…"}
    assert any(frame["function"] == "fail" and frame["lineno"] for frame in frames)
    assert not any("vars" in frame for frame in frames)
    assert not any(name in event for event in sink.events for name in ("request", "user", "extra"))
    assert not any(event.get("breadcrumbs", {}).get("values") for event in sink.events)


def assert_keys_in_addresses_are_masked(log: str) -> None:
    assert "Internal Server Error: /webhooks/lever/…/" in log
    assert "Internal Server Error: /unsubscribe/…/" in log
    assert f"{PLANTED}/" not in log.replace(f"/activity/{PLANTED}/", "")
    for told in (f"email={PLANTED}", f"code={PLANTED}", f"{PLANTED}@"):
        assert told not in log
