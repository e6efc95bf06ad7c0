"""What a call to a platform costs over TLS: through the portal, barely, and on a connection of its own."""

import ssl
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import requests

from integrations.http.connections import tls_context
from integrations.http.session import PlatformSession
from portal.devtools.benchmarks.benchmark import Benchmark, Report, Setup, Spread, Table, ratios
from portal.devtools.certificates import write_certificate
from portal.devtools.processes import wait_until

PATH = "/v1/opportunities/some-candidate"
HEADERS = {"Authorization": "Bearer " + "some-access-token." * 30}


class CallsBenchmark(Benchmark):
    """Calls to one platform, one after another, as a worker's steps make them."""

    name = "calls"
    help = "the CPU of a call to a platform over TLS, beside a bare call and one on a connection of its own"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the rounds and their length."""
        parser.add_argument("--rounds", type=int, default=12, help="alternating rounds (default 12)")
        parser.add_argument("--calls", type=int, default=200, help="in each round and way (default 200)")

    def run(self, setup: Setup) -> Report:
        """Measure the three ways in turns."""
        certificate = setup.environment.folder / "localhost.pem"
        write_certificate(certificate, "localhost")
        tls_context().load_verify_locations(certificate)
        with _platform(setup.environment.lever_port, certificate) as url, requests.Session() as kept:
            ways: dict[str, Callable[[], object]] = {
                "portal": partial(_call_by_portal, url),
                "bare": partial(_call, kept, url, certificate),
                "own connection": partial(_call_on_own_connection, url, certificate),
            }
            times: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(setup.options.rounds):
                for name, call in ways.items():
                    times[name].append(_cpu_ms(call, setup.options.calls))
        return _report(times)


def _call_by_portal(url: str) -> None:
    """Make a call by a client of its own, as each step does."""
    PlatformSession("lever", url, customer=1).request("GET", PATH, headers=HEADERS)


def _call_on_own_connection(url: str, certificate: Path) -> None:
    with requests.Session() as session:
        _call(session, url, certificate)


def _call(session: requests.Session, url: str, certificate: Path) -> None:
    session.get(url + PATH, headers=HEADERS, timeout=10, verify=str(certificate)).json()


def _cpu_ms(call: Callable[[], object], count: int) -> float:
    """Return the milliseconds of this process's CPU for each of so many calls."""
    call()
    began = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - began) / count * 1000


@contextmanager
def _platform(port: int, certificate: Path) -> Iterator[str]:
    """Start a pretend platform that speaks TLS in a process of its own."""
    module = "portal.devtools.benchmarks.pretend_platforms"
    process = subprocess.Popen([sys.executable, "-m", module, str(port), "0", str(certificate)])
    url = f"https://localhost:{port}"
    try:
        wait_until(lambda: _answers(url, certificate) or None, 30.0, "the pretend platform doesn't answer")
        yield url
    finally:
        process.kill()
        process.wait()


def _answers(url: str, certificate: Path) -> bool:
    try:
        return requests.get(url + PATH, timeout=5, verify=str(certificate)).ok
    except requests.ConnectionError:
        return False


def _report(times: dict[str, list[float]]) -> Report:
    table = Table(f"A call over TLS, {ssl.OPENSSL_VERSION}", ("way", "CPU ms (median)", "÷ bare"))
    for name, values in times.items():
        spread = Spread.of(ratios(values, times["bare"]))
        table.rows.append((name, f"{statistics.median(values):.2f}", spread.as_text()))
    return Report([table], {"cpu_ms": times})
