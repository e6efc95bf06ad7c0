"""The links of a page that carry a number, and how many rows the page that one opens shows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset(
    {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
#: Elements in whose text a number is no count of rows: the time, the person's menu, pages of a list, other periods.
_ASIDE = frozenset({"time", "pager", "paginator", "choices", "breadcrumbs", "technical"})
#: A count: digits that aren't a part of a name, a date, a time, a share or a length of time.
_COUNT = re.compile(
    r"(?<![\w#.:/–-])(\d[\d,]*)(?![\d.:/]*\d)(?!\s*(?:%|(?:second|minute|hour|day|week|month|quarter|year)s?\b))(?!\s+\d)"
)


@dataclass
class Element:
    """One element of a page with what is in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)
    parent: "Element | None" = None

    def all(self) -> Iterator["Element"]:
        """Yield the element and those in it."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.all()

    def found(self, tag: str, **attributes: str) -> list["Element"]:
        """Return the elements in it with this tag whose attributes have these words."""
        return [one for one in self.all() if one.tag == tag and one.has(**attributes)]

    def has(self, **attributes: str) -> bool:
        """Whether its attributes have these words, `cls` its class."""
        stated = {name.replace("cls", "class"): word for name, word in attributes.items()}
        return all(word in self.attributes.get(name, "").split() for name, word in stated.items())

    @property
    def text(self) -> str:
        """What it says, without what is aside."""
        words = [
            child if isinstance(child, str) else ("" if child.is_aside else child.text)
            for child in self.children
        ]
        return " ".join(" ".join(words).split())

    @property
    def is_aside(self) -> bool:
        """Whether a number in it is no count."""
        return bool(_ASIDE & {self.tag, *self.attributes.get("class", "").split()})

    def ancestors(self) -> Iterator["Element"]:
        """Yield the elements that it is in."""
        if self.parent is not None:
            yield self.parent
            yield from self.parent.ancestors()


class _Builder(HTMLParser):
    """Makes the elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("page")
        self._open = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        element = Element(tag, attributes, parent=self._open)
        self._open.children.append(element)
        if tag not in _VOID:
            self._open = element

    def handle_endtag(self, tag: str) -> None:
        line = [self._open, *self._open.ancestors()]
        if closed := next((one for one in line if one.tag == tag), None):
            self._open = closed.parent or self.root

    def handle_data(self, data: str) -> None:
        self._open.children.append(data)


def parsed(html: str) -> Element:
    """Return an element with all of a page in it."""
    builder = _Builder()
    builder.feed(html)
    return builder.root


def page_of(html: str) -> Element:
    """Return the main part of a page."""
    [main] = parsed(html).found("main")
    return main


@dataclass(frozen=True)
class NumberLink:
    """A link with the number that it carries, or that stands beside it in the same item."""

    text: str
    number: int
    address: str


def number_links(page: Element) -> list[NumberLink]:
    """Return the links of a page that carry a number, or have one beside them as a count."""
    links = []
    for anchor in page.found("a"):
        siblings = anchor.parent.children if anchor.parent else []
        beside = [one for one in siblings if isinstance(one, Element) and one.has(cls="count")]
        text = f"{anchor.text} {beside[0].text}" if beside else anchor.text
        numbers = _COUNT.findall(text)
        if numbers and (href := anchor.attributes.get("href", "")):
            links.append(NumberLink(text, int(numbers[0].replace(",", "")), href))
    return links


def next_address(page: Element) -> str:
    """Return the link to the next page of a list, empty on the last."""
    links = page.found("a", rel="next")
    return links[0].attributes["href"] if links else ""


def row_count(page: Element, fragment: str = "") -> int | None:
    """Return how many rows the page shows; None where it shows no list.

    A fragment names the part of the page that the link opens.
    """
    part = next(
        (one for one in page.all() if fragment and one.attributes.get("aria-labelledby") == fragment), page
    )
    if found := part.found("ul", cls="findings"):
        return sum(len([one for one in rows.children if isinstance(one, Element)]) for rows in found)
    if tables := part.found("tbody"):
        return len(tables[0].found("tr"))
    is_empty = (
        part.found("p", cls="empty")
        or part.found("form", id="changelist-form")
        or part.found("div", id="changelist")
    )
    return 0 if is_empty else None
