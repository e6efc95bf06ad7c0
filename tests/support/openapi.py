"""An OpenAPI description of every address: its parameters, and the fields that its view asks for.

Nothing is listed by hand. A view is requested once, and the names that it reads from the query and from the form are
recorded; the forms of its page add their fields, with values that a browser would send.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, unquote, urlsplit

from django.http import QueryDict
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils.datastructures import MultiValueDict

from tests.support.addresses import Address

#: Formats of texts; tests.support.hostile says what they generate.
HOSTILE = "hostile"
MOST_VALUES = 12
#: Read by some views only once everything else is right, so it is sent to all.
EVERYWHERE = {"next"}

Fields = dict[str, set[str]]


@dataclass
class Described:
    """What the addresses take: by URL name the names of fields, and by a field's name its values on pages."""

    query: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    body: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    values: Fields = field(default_factory=lambda: defaultdict(set))


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


def describe(
    described: Described, client: Client, addresses: Iterable[Address], undone: Callable[[], Any]
) -> None:
    """Request every address as the client and add what is seen; `undone` makes contexts that undo the changes."""
    signed_in = client.cookies.output(header="", sep=";")
    for address in addresses:
        for method, names in (("get", described.query), ("post", described.body)):
            client.cookies.load(signed_in)  # one of the addresses signs out
            with recorded_names() as asked, undone():
                answer = getattr(client, method)(address.url)
            names[address.name] |= asked
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                _read_page(answer.content.decode(), address.url, described)
            elif answer.streaming:
                answer.getvalue()  # read to its end, which closes the file that an export holds open


def _read_page(html: str, url: str, described: Described) -> None:
    page = _Page(url)
    page.feed(html)
    for is_post, action, name, value in page.fields:
        try:
            target = resolve(unquote(urlsplit(action).path)).view_name
        except Resolver404:
            continue
        (described.body if is_post else described.query)[target].add(name)
        if len(described.values[name]) < MOST_VALUES:
            described.values[name].add(value)


class _Page(HTMLParser):
    """Collects the fields of a page's forms and links: whether they are posted, where to, name and value."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.fields: list[tuple[bool, str, str, str]] = []
        self._form = (False, url)
        self._select = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Take in a form's field, or the query of a link."""
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._form = (given.get("method", "").lower() == "post", given.get("action") or self.url)
        elif tag == "a":
            self._take_link(given.get("href", ""))
        elif tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._select:
            self._take(self._select, given.get("value", ""))
        elif tag in {"input", "textarea", "button"} and given.get("name"):
            self._take(given["name"], given.get("value", ""))

    def _take(self, name: str, value: str) -> None:
        if name != "csrfmiddlewaretoken":
            self.fields.append((*self._form, name, value))

    def _take_link(self, href: str) -> None:
        link = urlsplit(href)
        if not link.netloc:
            for name, value in parse_qsl(link.query):
                self.fields.append((False, link.path or self.url, name, value))


def document(
    addresses: Iterable[Address],
    described: Described,
    others: dict[str, Address],
    statuses: Callable[[Address, str], Iterable[int]],
) -> dict[str, Any]:
    """Return the OpenAPI document for one visitor; `others` are the addresses of another organization, by name."""
    paths: dict[str, Any] = {}
    for address in addresses:
        template, parameters = _path(address, others[address.name])
        query = [
            {"name": name, "in": "query", "schema": _text(described.values.get(name, set()))}
            for name in sorted((described.query[address.name] | EVERYWHERE) - not_described(address))
        ]
        for method in ("get", "post"):
            operation: dict[str, Any] = {
                "operationId": f"{method} {address.name}",
                "parameters": [*parameters, *query],
                "responses": {str(status): {"description": ""} for status in statuses(address, method)},
            }
            if method == "post":
                operation["requestBody"] = _form(
                    (described.body[address.name] | EVERYWHERE) - not_described(address), described.values
                )
            paths.setdefault(template, {})[method] = operation
    info = {"title": "The pages", "version": "1"}
    return {"openapi": "3.0.3", "info": info, "paths": paths}


def not_described(address: Address) -> set[str]:
    """Return the fields that aren't sent: Django's own admin of people fails for an empty `_to_field`."""
    return {"_to_field"} if address.name.startswith("admin:auth_") else set()


def _path(address: Address, other: Address) -> tuple[str, list[dict[str, Any]]]:
    """Return the address with its parameters' names in braces, and the parameters."""
    own, theirs = resolve(unquote(address.url)), resolve(unquote(other.url))
    segments, parameters = unquote(address.url).split("/"), []
    for name, value in own.kwargs.items():
        if str(value) in segments:
            segments[segments.index(str(value))] = f"{{{name}}}"
            known = {str(value), str(theirs.kwargs[name])}
            parameters.append({"name": name, "in": "path", "required": True, "schema": _text(known)})
    return "/".join(segments), parameters


def _text(known: Iterable[str]) -> dict[str, Any]:
    hostile = {"type": "string", "format": HOSTILE}
    values = sorted(known)
    return {"anyOf": [{"type": "string", "enum": values}, hostile]} if values else hostile


def _form(names: Iterable[str], values: Fields) -> dict[str, Any]:
    one = {name: _text(values.get(name, set())) for name in sorted(names)}
    properties = {
        name: {"anyOf": [text, text, {"type": "array", "items": text, "maxItems": 3}]}
        for name, text in one.items()
    }
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}
