"""Read a text as an e-mail shows it: paragraphs, facts in two columns, and links with what they lead to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.conf import settings

OPEN = "Open in the portal"
#: A longer text before an address is a sentence of its own, not the link's.
LONGEST_LABEL = 30

_LINK = re.compile(r"(?:(?P<label>.*\S):\s+)?(?P<url>https?://\S+)")
_FACT = re.compile(r"(?P<label>[^\W\d_][^:]{0,23}): (?P<value>\S.*)")


@dataclass(frozen=True)
class Fact:
    """One line that says what something is, such as a score."""

    label: str
    value: str


@dataclass(frozen=True)
class Block:
    """One part of an e-mail: a paragraph, or facts, or a link, which may be the e-mail's button."""

    text: str = ""
    facts: tuple[Fact, ...] = ()
    label: str = ""
    url: str = ""
    is_button: bool = False


def blocks(body: str) -> list[Block]:
    """Return the parts of a text. Where it has one link to the portal alone, that is the button."""
    found = [block for paragraph in body.split("\n\n") for block in _blocks_of(paragraph)]
    own = [block for block in found if block.url.startswith(f"{settings.PORTAL_URL}/")]
    if len(own) != 1:
        return found
    return [replace(block, is_button=True) if block is own[0] else block for block in found]


def links_on_own_lines(text: str) -> str:
    """Return a text in which each address after a colon stands on a line of its own, and nothing is spaced twice."""
    lines: list[str] = []
    for line in text.split("\n"):
        match = _LINK.fullmatch(line.strip())
        lines += [f"{match['label']}:", match["url"]] if match and match["label"] else [line]
    return "\n".join(re.sub(r" {2,}", " ", line).strip() for line in lines)


def _blocks_of(paragraph: str) -> Iterator[Block]:
    lines = [line for line in paragraph.split("\n") if line.strip()]
    facts = [match for line in lines if not _LINK.fullmatch(line) and (match := _FACT.fullmatch(line))]
    if len(facts) == len(lines) > 1:
        yield Block(facts=tuple(Fact(match["label"], match["value"]) for match in facts))
        return
    texts: list[str] = []
    for line in lines:
        link = _LINK.fullmatch(line.strip())
        if link is None:
            texts.append(line)
            continue
        label = link["label"] or ""
        if len(label) > LONGEST_LABEL:
            texts.append(f"{label}:")
            label = ""
        if texts:
            yield Block(text="\n".join(texts))
            texts = []
        is_own = link["url"].startswith(f"{settings.PORTAL_URL}/")
        yield Block(label=label or (OPEN if is_own else link["url"]), url=link["url"])
    if texts:
        yield Block(text="\n".join(texts))
