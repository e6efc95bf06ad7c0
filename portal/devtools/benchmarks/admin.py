"""The admin's lists beside a growing history: each list, its last page, each filter, searches, and one row's page."""

import re
from collections.abc import Iterable, Iterator
from html import unescape

from django.contrib.auth.models import User
from django.db import models
from django.test import Client
from django.urls import reverse

from integrations.models import (
    ApiCall,
    AuditEntry,
    Delivery,
    Effect,
    Invitation,
    OpportunityPerson,
    Organization,
    Result,
    Verdict,
)
from portal.devtools.benchmarks.history import History
from portal.devtools.benchmarks.timed_pages import Address, TimedPages, signed_in
from portal.devtools.waiting import RunFailed

#: The lists that grow with time, each with what a person may search for. `{candidate}` is one of the rows,
#: and “Nobody” is in none.
LISTS: dict[type[models.Model], tuple[str, ...]] = {
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
    help = "the admin's lists, filters, searches and last pages beside a growing history"

    def addresses(self, history: History) -> Iterable[Address]:
        """Return what a person can open from each list, for both people."""
        for user in (history.superuser, history.owner):
            client = signed_in(user)
            for model, searches in LISTS.items():
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
            yield Address(f"{title}: last page", f"{url}?p=-1", user)
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
