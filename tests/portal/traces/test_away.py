"""Traces cost nothing where they are off; a collector that is away, or silent, holds nothing up and fills no log."""

import logging
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest
from cryptography.fernet import Fernet
from django.conf import settings

from integrations.core import correlation, spans
from portal.logs import OncePerOutage
from tests.support.collector import collecting, senders

#: Nothing listens there.
NOWHERE = "http://127.0.0.1:9"
#: More than may wait: the oldest are dropped.
SPANS = 2100
#: If each of so many spans waited until the portal gives up, it would take longer, however busy the machine is.
FEW, FEW_SECONDS = 20, 20.0


def tell(count: int) -> float:
    """Tell of so many calls within a step; return how long that took."""
    began = time.monotonic()
    with correlation.use(), spans.around("step", organization=1):
        for _ in range(count):
            spans.ended("lever GET /users", 0.01, platform="lever", status=200)
    return time.monotonic() - began


@pytest.fixture
def lines():
    """The lines that a program of the portal would log."""
    found: list[str] = []
    handler = logging.Handler()
    handler.addFilter(OncePerOutage())
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    yield found
    logging.getLogger().removeHandler(handler)


def test_a_collector_that_is_away_holds_nothing_up_and_is_one_line_of_the_log(lines):
    with collecting(NOWHERE) as traces:
        assert tell(FEW) < FEW_SECONDS
        tell(SPANS)
        assert traces.sent() == []
    assert len([line for line in lines if "span" in line.lower()]) == 1, lines


def test_a_silent_collector_holds_nothing_up():
    with collecting() as traces:
        traces.receiver.delay = 30.0
        assert tell(FEW) < FEW_SECONDS
        time.sleep(1.5)  # it is being asked now
        assert tell(FEW) < FEW_SECONDS
        traces.receiver.delay = 0.0
        assert traces.sent()


def answer_without_end(listener: socket.socket) -> None:
    """Accept one connection, and send a byte of the answer each second."""
    with suppress(OSError):
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while True:
                connection.sendall(b"x")
                time.sleep(0.5)


def test_a_collector_whose_answer_has_no_end_holds_no_exit_up():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = threading.Thread(target=answer_without_end, args=[listener], daemon=True)
        answering.start()
        with collecting(f"http://127.0.0.1:{listener.getsockname()[1]}"):
            child = multiprocessing.get_context("fork").Process(target=tell, args=[1])
            child.start()
            child.join(FEW_SECONDS)
            is_held_up = child.is_alive()
            child.kill()
        answering.join()
    assert not is_held_up


def test_a_fault_in_what_makes_spans_loses_the_span_alone(lines, monkeypatch):
    with collecting() as traces:
        monkeypatch.setattr(traces.recorder, "_started_tracer", lambda: 1 / 0)
        with correlation.use(), spans.around("step"):
            done = True
        assert done
        assert lines == ["A span is lost"]


def tell_in_child(recorder) -> None:
    tell(1)
    recorder.provider.force_flush()
    os._exit(0)


def test_a_forked_process_sends_by_itself():
    with collecting() as traces:
        tell(1)
        assert len(traces.sent()) == 2
        child = multiprocessing.get_context("fork").Process(target=tell_in_child, args=[traces.recorder])
        os.register_at_fork(after_in_child=traces.recorder.forget)  # as `begin` does for good
        child.start()
        child.join(20)
        assert child.exitcode == 0
        assert len(traces.sent()) == 4
        assert len(senders(traces.receiver)) == 2


@pytest.mark.parametrize(("endpoint", "is_imported"), [("", False), (NOWHERE, True)])
def test_nothing_is_imported_unless_a_collector_is_named(endpoint, is_imported):
    pytest.importorskip("opentelemetry.sdk.trace")
    code = (
        "import sys, portal.wsgi; from integrations.core import spans\n"
        # the Redis client imports other parts of OpenTelemetry wherever they are installed
        "print('opentelemetry.exporter' in sys.modules, spans.are_recorded())"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environ |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_ENV_FILE": os.devnull,
        "SECRET_KEY": "0123456789" * 6,
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [str(is_imported)] * 2, done.stderr
