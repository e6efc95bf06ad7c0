"""Turn a subject and lines into an e-mail: subject, plain text, and HTML."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from django.conf import settings
from django.template.loader import render_to_string

from integrations.notifications.models.email_kind import Fact, Line, Link
from integrations.organizations.models.organization import Organization

# What an e-mail consists of: paragraphs of lines. Its text and its HTML are made of the same ones.


OPEN = "Open in the portal"
#: A longer text before an address is a sentence of its own, not the link's.
LONGEST_LABEL = 30


Paragraph = tuple[Line, ...]


@dataclass(frozen=True)
class RenderedEmail:
    """A subject of one line, and the paragraphs, as they are sent."""

    subject: str
    paragraphs: tuple[Paragraph, ...]

    @property
    def body(self) -> str:
        """The plain text: each address stands on a line of its own, and no two spaces follow each other."""
        text = "\n\n".join("\n".join(map(_as_text, paragraph)) for paragraph in self.paragraphs)
        return "\n".join(re.sub(r" {2,}", " ", line).strip() for line in text.split("\n"))


@dataclass(frozen=True)
class Block:
    """One part of an e-mail as HTML: a text, or facts in two columns, or a link, which may be the e-mail's button."""

    text: str = ""
    facts: Paragraph = ()
    label: str = ""
    url: str = ""
    is_button: bool = False


def blocks(paragraphs: Iterable[Paragraph]) -> list[Block]:
    """Return the parts that are shown. Where exactly one link leads to the portal, that link is the button."""
    found = [block for paragraph in paragraphs for block in _blocks_of(paragraph)]
    own = [block for block in found if _is_own(block.url)]
    if len(own) != 1:
        return found
    return [replace(block, is_button=True) if block is own[0] else block for block in found]


def _blocks_of(paragraph: Paragraph) -> Iterator[Block]:
    if len(paragraph) > 1 and all(isinstance(line, Fact) for line in paragraph):
        yield Block(facts=paragraph)
        return
    texts: list[str] = []
    for line in paragraph:
        if not isinstance(line, Link):
            texts.append(_as_text(line))
            continue
        label = line.label
        if len(label) > LONGEST_LABEL:
            texts.append(f"{label}:")
            label = ""
        if texts:
            yield Block(text="\n".join(texts))
            texts = []
        yield Block(label=label or (OPEN if _is_own(line.url) else line.url), url=line.url)
    if texts:
        yield Block(text="\n".join(texts))


def _as_text(line: Line) -> str:
    match line:
        case Fact(label, value):
            return f"{label}: {value}"
        case Link(label, url):
            return f"{label}:\n{url}" if label else url
    return line


def _is_own(url: str) -> bool:
    return url.startswith(f"{settings.PORTAL_URL}/")


# Turn a subject and lines into an e-mail, in which candidates' names and other people's texts make no links.


LONGEST_SUBJECT_LINE = 300

#: What mail programs make a link of; also with the dots of other scripts, which browsers read as dots.
_LINK_LIKE = re.compile(r"://|\bwww\.|\w[.。．｡][^\W\d_]{2,}")
_ADDRESS = re.compile(r"[(<]?[^\s@/:]+@[\w.-]+[)>.,;:]*")
_SEPARATOR = re.compile(r"[.。．｡:/]")
_INVISIBLE = "\u200b"  # a zero-width space
#: Fits the e-mail to narrow screens and dark ones, and breaks long links. A mail program that ignores styles shows
#: black words on white.
STYLE = (
    ":root{color-scheme:light dark;supported-color-schemes:light dark}"
    "body{margin:0;padding:24px 12px;background:#f5f7f7;color:#17211f;font:16px/1.5 Helvetica,Arial,sans-serif}"
    ".message{width:100%;max-width:600px;background:#ffffff;border-top:4px solid #0f5c63}"
    "td{overflow-wrap:anywhere;word-break:break-word}.inside{padding:28px 32px}"
    "h1{font-size:22px;line-height:1.3;margin:0 0 20px}p,table table{margin:0 0 18px}"
    ".quiet,.label,.end{color:#4e5c5a}.quiet,.end{font-size:14px}"
    ".label{padding-left:0;padding-right:24px;white-space:nowrap}"
    "a{color:#0f5c63}.button{display:inline-block;padding:12px;border-radius:6px;text-decoration:none;"
    "background:#0f5c63;color:#ffffff;font-weight:bold}"
    ".end{border-top:1px solid #dfe5e3;margin-top:28px;padding-top:16px}.end p{margin:0 0 8px}"
    "@media (max-width:480px){body{padding:0}.inside{padding:22px 20px}}"
    "@media (prefers-color-scheme:dark){body{background:#0f1514;color:#e8efed}.message{background:#18211f}"
    ".quiet,.label,.end{color:#a9b8b4}.end{border-top-color:#33403d}a{color:#63959a}"
    ".button{background:#63959a;color:#000000}}"
)


@dataclass(frozen=True)
class ComposedEmail:
    """An e-mail that is ready to be sent, and for each address the link to unsubscribe, empty where there is none.

    One to a stranger isn't signed by the organization, whose name could say anything.
    """

    content: RenderedEmail
    unsubscribe_links: Mapping[str, str]
    is_signed: bool = True


def without_links(text: str) -> str:
    """Return a text that looks the same; mail programs make links only of the portal's and of e-mail addresses in it.

    Candidates choose their names: one that is an address would be a link in an e-mail that the team trusts.
    """
    return re.sub(r"\S+", lambda match: _unlinked(match[0]), text)


def _unlinked(word: str) -> str:
    if _is_own(word) or _ADDRESS.fullmatch(word) or not _LINK_LIKE.search(word):
        return word
    return _SEPARATOR.sub(rf"{_INVISIBLE}\g<0>{_INVISIBLE}", word)


def render(subject: str, lines: Iterable[Line]) -> RenderedEmail:
    """Return the e-mail: facts that follow each other form one paragraph, every other line one of its own.

    Links are the lines that are one, and the portal's own addresses.
    """
    paragraphs: list[Paragraph] = []
    for are_facts, group in groupby(map(_without_links, lines), lambda line: isinstance(line, Fact)):
        shown = tuple(group)
        paragraphs += [shown] if are_facts else [(line,) for line in shown]
    return RenderedEmail(without_links(" ".join(subject.split()))[:LONGEST_SUBJECT_LINE], tuple(paragraphs))


def _without_links(line: Line) -> Line:
    match line:
        case Fact(label, value):
            return Fact(label, without_links(value))
        case Link(label, url):
            return Link(without_links(label), url)
    return without_links(line)


def signature(organization: Organization | None) -> str:
    """Return what ends an e-mail of an organization; the portal's own where there is none."""
    return f"{organization.name}, CodeScreen–Lever portal" if organization else "CodeScreen–Lever portal"


def as_text(email: RenderedEmail, organization: Organization | None, unsubscribe: str = "") -> str:
    """Return the plain text with the signature and the link to unsubscribe, if there is one."""
    parts = [email.body, f"— {signature(organization)}"]
    if unsubscribe:
        parts.append(f"Stop these e-mails:\n{unsubscribe}")
    return "\n\n".join(parts)


def as_html(email: RenderedEmail, organization: Organization | None, unsubscribe: str = "") -> str:
    """Return the same as HTML; nothing that is filled in is markup."""
    context = {
        "email": email,
        "blocks": blocks(email.paragraphs),
        "organization": organization,
        "signature": signature(organization),
        "style": STYLE,
        "unsubscribe": unsubscribe,
        "portal": settings.PORTAL_URL,
    }
    return render_to_string("email/message.html", context)
