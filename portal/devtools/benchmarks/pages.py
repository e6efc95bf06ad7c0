"""The site's pages beside a growing history, as a Super Admin and as a Limited Team Member see them."""

import re
import time
from abc import abstractmethod
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.audit.models.entry import AuditEntry
from integrations.clients.models import ApiCall
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import OpportunityPerson
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from portal.devtools.benchmarks.benchmark import Benchmark, Report, Setup, Spread, Table
from portal.devtools.benchmarks.history import History
from portal.devtools.processes import RunFailed
from portal.devtools.site_client import sign_in


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
    sign_in(client, user)
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


#: The lists that grow with time, each with what a person may search for. `{candidate}` is one of the rows,
#: and “Nobody” is in none.
ADMIN_LISTS: dict[type[models.Model], tuple[str, ...]] = {
    Delivery: ("{candidate}", "Nobody"),
    Verdict: ("{candidate}", "Nobody"),
    Invitation: ("{candidate}", "Winterley", "Ada Winter", "candidate77@", "Nobody"),
    Effect: ("{candidate}", "Nobody"),
    ApiCall: ("{candidate}", "Nobody"),
    Result: ("{candidate}", "Nobody"),
    AuditEntry: ("{candidate}", "person-3", "Nobody"),
    OpportunityPerson: ("{candidate}", "person77@", "Nobody"),
    Organization: ("Customer 07",),
}
#: Choices of one filter that are tried; only the organizations are more.
MOST_CHOICES = 25
_FILTERS = re.compile(r'<search id="changelist-filter".*?</search>', re.DOTALL)
_FILTER = re.compile(r'href="\?([^"]+)"')


class AdminBenchmark(TimedPages):
    """The admin's lists as an operator and as a customer's Super Admin see them."""

    name = "admin"
    help = "the admin's lists, filters and searches beside a growing history"

    def addresses(self, history: History) -> Iterable[Address]:
        """Return what a person can open from each list, for both people."""
        for user in (history.superuser, history.owner):
            client = signed_in(user)
            for model, searches in ADMIN_LISTS.items():
                yield from self._of_list(model, searches, history, user, client)

    def _of_list(
        self, model: type[models.Model], searches: Iterable[str], history: History, user: User, client: Client
    ) -> Iterator[Address]:
        names = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        url, title = reverse(f"{names}_changelist"), f"{model._meta.verbose_name_plural}, {user.username}"
        shown = _shown(client, url)
        yield Address(f"{title}: list", url, user)
        if "?p=2" in shown:
            yield Address(f"{title}: second page", f"{url}?p=2", user)
        for name, query in _filters(shown):
            yield Address(f"{title}: filter {name}", f"{url}?{query}", user)
        for text in searches:
            query = text.format(candidate=history.candidate).replace(" ", "+")
            yield Address(f"{title}: search", f"{url}?q={query}", user)
        row = model._default_manager.filter(**_of(model, history)).order_by("pk").first()
        if row is not None:
            yield Address(f"{title}: one row", reverse(f"{names}_change", args=[row.pk]), user)


def _shown(client: Client, url: str) -> str:
    answer = client.get(url)
    if answer.status_code != 200:
        raise RunFailed(f"{url} was answered with {answer.status_code}")
    return answer.content.decode()


def _filters(page: str) -> Iterator[tuple[str, str]]:
    """Yield the choices that a list's page offers: the filter's parameter, and the whole query."""
    filters = _FILTERS.search(page)
    queries = [unescape(query) for query in _FILTER.findall(filters[0])] if filters else []
    names = [re.split(r"__|=", query)[0] for query in queries]
    for number, (name, query) in enumerate(zip(names, queries, strict=True)):
        if names[:number].count(name) < MOST_CHOICES:
            yield name, query


def _of(model: type[models.Model], history: History) -> dict[str, object]:
    """Return the condition for rows of the large organization."""
    if model is Organization:
        return {"pk": history.large.pk}
    return {"organization": history.large}


PAGES = (
    "/",
    "/activity/",
    "/activity/?page=2",
    "/activity/?page=-1",
    "/activity/?view=attention",
    "/activity/?status=held",
    "/activity/?view=not_invited",
    "/activity/?view=not_invited&reason=no_email",
    "/activity/?status=in_progress",
    "/activity/?status=passed",
    "/activity/?status=failed",
    "/activity/?status=expired",
    "/activity/?role=Designer",
    "/activity/?assessment=Algorithms&since=2020-01-01",
    "/activity/?view=not_invited&reason=unknown_assessment",
    "/activity/?view=not_invited&reason=entered_before",
    "/activity/{candidate}/",
)
#: A name that few candidates have, a common one, a role, an assessment, an opportunity, and what isn't there.
SEARCHES = ("Winterley", "Ada", "Backend Engineer 7", "Algorithms", "{candidate}", "Nobody of this name")
#: Closed to a Limited Team Member.
TEAM_PAGES = (
    "/candidates/bulk/?act=retry",
    "/activity/{busy}/",
    "/health/",
    "/reports/",
    "/mappings/",
    "/preview/",
    "/audit/",
    "/audit/?page=-1",
    "/audit/?person=person-3",
    "/audit/?action=retry",
    "/audit/?since=2020-01-01",
    "/audit/?action=erase",
)


class PagesBenchmark(TimedPages):
    """The overview, the activity with its filters and searches, candidates, health and the audit log."""

    name = "pages"
    help = "the site's pages, filters and searches beside a growing history"

    def addresses(self, history: History) -> Iterable[Address]:
        """Return every page for both people; those of the team only for the Super Admin."""
        yield from self._of_person(history, history.owner, (*PAGES, *TEAM_PAGES), history.candidate)
        yield from self._of_person(history, history.limited, PAGES, history.limited_candidate)

    def _of_person(
        self, history: History, user: User, pages: Iterable[str], candidate: str
    ) -> Iterable[Address]:
        delivery = Delivery.objects.filter(organization=history.large, opportunity_id=candidate).latest("pk")
        values = {"candidate": candidate, "busy": history.busy_candidate, "delivery": delivery.pk}
        for page in pages:
            yield Address(f"{user.username} {page}", page.format(**values), user)
        for text in SEARCHES:
            query = text.format(**values).replace(" ", "+")
            yield Address(f"{user.username} search of candidates", f"/activity/?q={query}", user)
