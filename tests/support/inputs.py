"""What every address reads, and any input to it: in its path, its query and its form.

Nothing is listed by hand. A view is requested once, and the names that it reads from the query and from the form are
recorded; the forms and links of its page add their fields, with values that a browser would send.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from django.http import QueryDict
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils.datastructures import MultiValueDict

from tests.support.addresses import Address
from tests.support.hostile import EVIL_HOST, TEXTS
from tests.support.page_numbers import Element, parsed

MOST_VALUES = 12
#: Read by some views only once everything else is right, so it is sent to all. It may name another host.
NEXT = "next"
ELSEWHERE = [text for text in TEXTS if EVIL_HOST in text]
#: Django's own admin of people fails when it is empty.
NOT_SENT = {"_to_field"}

Names = dict[str, set[str]]


class Field(NamedTuple):
    """A field of a page: whether it is posted, the address that it is sent to, its name and its value."""

    is_post: bool
    address: str
    name: str
    value: str


class Request(NamedTuple):
    """A request to send; without a form it is a GET."""

    address: str
    form: dict[str, list[str]] | None

    def send(self, client: Client) -> Any:
        """Return the client's answer."""
        return client.get(self.address) if self.form is None else client.post(self.address, self.form)


@dataclass
class Inputs:
    """What the addresses take: by URL name the names of fields, and by a field's name its values on pages."""

    query: Names = field(default_factory=lambda: defaultdict(set))
    body: Names = field(default_factory=lambda: defaultdict(set))
    values: Names = field(default_factory=lambda: defaultdict(set))

    def read(self, client: Client, addresses: Iterable[Address], undone: Callable[[], Any]) -> None:
        """Request every address as the client and add what is seen; `undone` makes contexts that undo the changes."""
        signed_in = client.cookies.output(header="", sep=";")
        for address in addresses:
            for method, names in (("get", self.query), ("post", self.body)):
                client.cookies.load(signed_in)  # one of the addresses signs out
                with recorded_names() as asked, undone():
                    answer = getattr(client, method)(address.url)
                names[address.name] |= asked
                if answer.headers.get("Content-Type", "").startswith("text/html"):
                    self._read_page(parsed(answer.content.decode()), address.url)
                elif answer.streaming:
                    answer.getvalue()  # read to its end, which closes the file that an export holds open

    def _read_page(self, page: Element, url: str) -> None:
        for one in fields_of(page, url):
            try:
                target = resolve(unquote(urlsplit(one.address).path)).view_name
            except Resolver404:
                continue
            (self.body if one.is_post else self.query)[target].add(one.name)
            if len(self.values[one.name]) < MOST_VALUES:
                self.values[one.name].add(one.value)

    def draw(self, chance: random.Random, address: Address, other: Address, *, is_post: bool) -> Request:
        """Return a request whose path may name what another organization's address names, or anything."""
        path = "/".join(quote(part, safe="") for part in self._path(chance, address, other))
        query = self._fields(chance, self.query[address.name])
        form = self._fields(chance, self.body[address.name]) if is_post else None
        return Request(f"{path}?{urlencode(query, doseq=True)}", form)

    def _path(self, chance: random.Random, address: Address, other: Address) -> list[str]:
        own, theirs = resolve(unquote(address.url)).kwargs, resolve(unquote(other.url)).kwargs
        segments = unquote(address.url).split("/")
        for name, value in own.items():
            if str(value) in segments:
                drawn = self._text(chance, {str(value), str(theirs[name])})
                segments[segments.index(str(value))] = drawn
        return segments

    def _fields(self, chance: random.Random, names: set[str]) -> dict[str, list[str]]:
        drawn = [name for name in sorted((names | {NEXT}) - NOT_SENT) if chance.random() < 0.7]
        counts = (chance.choice([1, 1, 1, 2, 0]) for _ in drawn)
        return {
            name: [self._text(chance, self.values[name], name) for _ in range(count)]
            for name, count in zip(drawn, counts, strict=True)
        }

    def _text(self, chance: random.Random, known: set[str], name: str = "") -> str:
        """Return a value that pages have, one of the hostile ones, or characters at random."""
        if known and chance.random() < 0.5:
            return chance.choice(sorted(known))
        if chance.random() < 0.5:
            return chance.choice(ELSEWHERE if name == NEXT else TEXTS)
        return "".join(chr(chance.randrange(0xD800)) for _ in range(chance.randrange(30)))


@contextmanager
def recorded_names() -> Iterator[set[str]]:
    """Yield the set of names that are read from a request's query or form meanwhile."""
    asked: set[str] = set()

    def recording(method: Callable[..., Any]) -> Callable[..., Any]:
        def read(self: QueryDict, key: str, *arguments: Any) -> Any:
            asked.add(key)
            return method(self, key, *arguments)

        return read

    with ExitStack() as stack:
        for name in ("get", "getlist", "__getitem__", "__contains__"):
            reading = recording(getattr(MultiValueDict, name))
            stack.enter_context(mock.patch.object(QueryDict, name, reading))
        yield asked
    asked.difference_update(
        {"csrfmiddlewaretoken", None}
    )  # rest_framework asks by no name for what is switched off


def fields_of(page: Element, url: str) -> Iterator[Field]:
    """Yield the fields of a page's forms, and the queries of its links."""
    forms = {form.attributes.get("id"): form for form in page.found("form")}
    for one in page.all():
        if one.tag == "a":
            link = urlsplit(one.attributes.get("href", ""))
            if not link.netloc:
                yield from (Field(False, link.path or url, *pair) for pair in parse_qsl(link.query))
            continue
        around = list(one.ancestors())
        named = next((other for other in around if other.tag == "select"), None)
        name = (named if one.tag == "option" and named else one).attributes.get("name", "")
        if one.tag in {"input", "textarea", "button", "option"} and name not in {"", "csrfmiddlewaretoken"}:
            around_it = next((other for other in around if other.tag == "form"), None)
            form = forms.get(one.attributes.get("form", ""), around_it)
            given = form.attributes if form else {}
            is_post = given.get("method", "").lower() == "post"
            yield Field(is_post, given.get("action") or url, name, one.attributes.get("value", ""))
