"""How long pages take to make, and how many queries they need, beside a small history and beside large ones."""

import time
from abc import abstractmethod
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.devtools.benchmarks.benchmark import Benchmark, Setup
from portal.devtools.benchmarks.history import History
from portal.devtools.benchmarks.report import Report, Spread, Table
from portal.devtools.waiting import RunFailed


@dataclass(frozen=True)
class Address:
    """A page as one person sees it; of addresses with the same name the slowest is reported."""

    name: str
    url: str
    user: User


@dataclass
class Timing:
    """The milliseconds of each round, and the number of queries."""

    queries: int
    milliseconds: list[float] = field(default_factory=list)


class TimedPages(Benchmark):
    """Pages timed in this process by signed-in clients, first with few rows, then with more and more."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the sizes of the history and the number of rounds."""
        parser.add_argument(
            "--rows",
            type=int,
            nargs="+",
            default=[1_000, 100_000],
            help="deliveries, invitations and effects, smallest first; five times as many calls "
            "(default 1000 100000)",
        )
        parser.add_argument("--rounds", type=int, default=5, help="requests of each page (default 5)")

    @abstractmethod
    def addresses(self, history: History) -> Iterable[Address]:
        """Return the pages to time. Raises RunFailed when one that lists others doesn't answer."""

    def run(self, setup: Setup) -> Report:
        """Grow the history from size to size and time every page at each."""
        history, sizes = History.create(), sorted(setup.options.rows)
        timings: dict[int, Mapping[Address, Timing]] = {}
        for before, size in zip([0, *sizes], sizes, strict=False):
            setup.log(f"Adding rows until there are {size:,}.")
            history.grow(before + 1, size)
            setup.log("Timing the pages.")
            timings[size] = timed(list(self.addresses(history)), setup.options.rounds)
        return _report(timings)


def signed_in(user: User) -> Client:
    """Return a client of this process in which the person is signed in."""
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def timed(addresses: Sequence[Address], rounds: int) -> Mapping[Address, Timing]:
    """Request each address in turns, once before anything is counted. Raises RunFailed for one that isn't answered."""
    clients = {user: signed_in(user) for user in {address.user for address in addresses}}
    timings = {}
    for address in addresses:
        _request(clients, address)  # fills caches, of templates for example
        with CaptureQueriesContext(connection) as captured:
            _request(clients, address)
        timings[address] = Timing(len(captured))
    for _ in range(rounds):
        for address, timing in timings.items():
            began = time.perf_counter()
            _request(clients, address)
            timing.milliseconds.append((time.perf_counter() - began) * 1000)
    return timings


def _request(clients: Mapping[User, Client], address: Address) -> None:
    status = clients[address.user].get(address.url, secure=settings.SESSION_COOKIE_SECURE).status_code
    if status != 200:
        raise RunFailed(f"{address.url} was answered with {status}")


def _report(timings: Mapping[int, Mapping[Address, Timing]]) -> Report:
    sizes = list(timings)
    table = Table(
        "The slowest of each kind: milliseconds (medians)",
        ("page", "queries", *(f"{size:,} rows" for size in sizes), "largest ÷ smallest"),
    )
    report = Report([table])
    slowest = {size: _slowest(by_address) for size, by_address in timings.items()}
    for name in slowest[sizes[-1]]:
        found = [slowest[size].get(name) for size in sizes]
        spreads = [Spread.of(one.milliseconds) if one else None for one in found]
        first, last = spreads[0], spreads[-1]
        table.rows.append(
            (
                name,
                " → ".join(str(one.queries) if one else "–" for one in found),
                *(spread.as_text(0) if spread else "–" for spread in spreads),
                f"{last.middle / first.middle:.1f}" if first and last else "–",
            )
        )
    report.numbers["pages"] = {
        size: {
            f"{address.user.username} {address.url}": {
                "queries": one.queries,
                "milliseconds": one.milliseconds,
            }
            for address, one in by_address.items()
        }
        for size, by_address in timings.items()
    }
    return report


def _slowest(timings: Mapping[Address, Timing]) -> Mapping[str, Timing]:
    """Return, for each name, the timing of the address with the highest median."""
    found: dict[str, Timing] = {}
    for address, timing in timings.items():
        other = found.get(address.name)
        if other is None or Spread.of(timing.milliseconds).middle > Spread.of(other.milliseconds).middle:
            found[address.name] = timing
    return found
