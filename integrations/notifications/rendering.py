"""Turn a wording and its variables into an e-mail: subject, plain text, and HTML."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.template.loader import render_to_string

from integrations.notifications.models.email_kind import DETAILS, EmailWording, Line, Link
from integrations.organizations.models.organization import Organization

# What an e-mail consists of: paragraphs of lines. Its text and its HTML are made of the same ones.


OPEN = "Open in the portal"
#: A longer text before an address is a sentence of its own, not the link's.
LONGEST_LABEL = 30


@dataclass(frozen=True)
class Fact:
    """One line that says what something is, such as a score."""

    label: str
    value: str


Paragraph = tuple[str | Fact | Link, ...]


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


def _as_text(line: str | Fact | Link) -> str:
    match line:
        case Fact(label, value):
            return f"{label}: {value}"
        case Link(label, url):
            return f"{label}:\n{url}" if label else url
    return line


def _is_own(url: str) -> bool:
    return url.startswith(f"{settings.PORTAL_URL}/")


# Fill in a wording. Its lines say what is a fact and what is a link, and so no value decides that.
#
# A line whose variables are all empty is left out, so that one wording serves results with and without a report.


VARIABLE = re.compile(r"\{([^{}\n]{0,60})\}")
LONGEST_SUBJECT_LINE = 300

#: The variables whose values are links that the portal makes or CodeScreen gives.
LINK_VARIABLES = frozenset({"settings_link", "timeline_link", "report_link"})
#: What mail programs make a link of; also with the dots of other scripts, which browsers read as dots.
_LINK_LIKE = re.compile(r"://|\bwww\.|\w[.。．｡][^\W\d_]{2,}")
_ADDRESS = re.compile(r"[(<]?[^\s@/:]+@[\w.-]+[)>.,;:]*")
_SEPARATOR = re.compile(r"[.。．｡:/]")
_INVISIBLE = "\u200b"  # a zero-width space
#: How a wording writes a link, and what may be called a fact.
_WORDED_LINK = re.compile(r"(?:(?P<label>.*\S):\s+)?(?P<url>\{[a-z_]+\}|https?://\S+)")
_WEB_ADDRESS = re.compile(r"https?://\S+")
_FACT_LABEL = re.compile(r"[^\W\d_][^:]{0,23}")

#: Fits the e-mail to narrow screens and dark ones, and breaks long links. A mail program that ignores styles shows 600
#: pixels, in light colours.
STYLE = (
    ":root{color-scheme:light dark;supported-color-schemes:light dark}body{margin:0;padding:0}"
    ".message{width:100%;max-width:600px}.message td{overflow-wrap:anywhere;word-break:break-word}"
    ".message img{max-width:100%;border:0}.message font{line-height:1.5}.around{padding:24px 12px}"
    ".inside{padding:28px 32px}.sender{margin:0 0 20px}h1{font-size:22px;line-height:1.3;margin:0 0 20px}"
    ".message p{margin:0 0 14px}.message .to{margin-bottom:26px}.facts{margin:0 0 18px}"
    ".facts .label{padding-left:0;padding-right:24px;white-space:nowrap}"
    ".action{margin:20px 0}.action td{border-radius:6px}.button a{text-decoration:none}"
    ".end{border-top:1px solid #dfe5e3;margin-top:28px;padding-top:16px}.end p{margin:0 0 8px}"
    "@media (max-width:480px){.around{padding:0}.inside{padding:22px 20px}}"
    "a{color:#0f5c63}@media (prefers-color-scheme:dark){.page{background-color:#0f1514!important}"
    ".message{background-color:#18211f!important}.ink{color:#e8efed!important}.quiet{color:#a9b8b4!important}"
    ".end{border-top-color:#33403d}a,.link{color:#63959a!important}"
    ".button{background-color:#63959a!important}.on{color:#000000!important}}"
)


@dataclass(frozen=True)
class ComposedEmail:
    """An e-mail that is ready to be sent, and for each address the link to unsubscribe, empty where there is none.

    One to a stranger isn't signed by the organization, whose name could say anything.
    `contents` has what those addresses get in place of `content` that are told of some of its candidates only.
    """

    content: RenderedEmail
    unsubscribe_links: Mapping[str, str]
    is_signed: bool = True
    contents: Mapping[str, RenderedEmail] = field(default_factory=dict)


def _is_left_out(line: str, values: Mapping[str, str]) -> bool:
    names = [name for name in VARIABLE.findall(line) if name in values]
    return bool(names) and not any(values[name] for name in names)


def _filled_in(text: str, values: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)


def without_links(text: str) -> str:
    """Return a text that looks the same; mail programs make links only of the portal's and of e-mail addresses in it.

    Candidates choose their names: one that is an address would be a link in an e-mail that the team trusts.
    """
    return re.sub(r"\S+", lambda match: _unlinked(match[0]), text)


def _unlinked(word: str) -> str:
    if _is_own(word) or _ADDRESS.fullmatch(word) or not _LINK_LIKE.search(word):
        return word
    return _SEPARATOR.sub(rf"{_INVISIBLE}\g<0>{_INVISIBLE}", word)


def render(
    wording: EmailWording, values: Mapping[str, str], details: Iterable[Line] | None = None
) -> RenderedEmail:
    """Return the wording with its variables filled in, and {details} with these lines.

    Links are only what LINK_VARIABLES hold, what the wording writes as one, and the portal's own addresses.
    """
    values = {
        name: value if name in LINK_VARIABLES else without_links(value) for name, value in values.items()
    }
    shown = [_without_links(line) for line in details] if details is not None else None
    as_text = values if shown is None else {**values, DETAILS: " ".join(map(_as_text, shown))}
    lines = [line for line in wording.subject.split("\n") if not _is_left_out(line, as_text)]
    subject = " ".join(_filled_in(" ".join(lines), as_text).split())
    paragraphs: list[list[str | Fact | Link]] = [[]]
    for line in wording.body.split("\n"):
        if not line.strip():
            paragraphs.append([])
        elif _is_left_out(line, as_text):
            continue
        elif shown is not None and DETAILS in VARIABLE.findall(line):
            first, *others = _with_details(line, as_text, shown) or [[]]
            paragraphs[-1] += first
            paragraphs += others
        else:
            paragraphs[-1].append(_line(line, values))
    return RenderedEmail(
        subject[:LONGEST_SUBJECT_LINE], tuple(tuple(paragraph) for paragraph in paragraphs if paragraph)
    )


def _line(line: str, values: Mapping[str, str]) -> str | Fact | Link:
    """Return one line of a wording filled in; what it consists of is written in the wording."""
    if (link := _WORDED_LINK.fullmatch(line.strip())) and _WEB_ADDRESS.fullmatch(
        url := _filled_in(link["url"], values)
    ):
        return Link(_filled_in(link["label"] or "", values), url)
    label, colon, value = (_filled_in(part, values) for part in line.partition(": "))
    return (
        Fact(label, value)
        if colon and value.strip() and _FACT_LABEL.fullmatch(label)
        else label + colon + value
    )


def _with_details(
    line: str, values: Mapping[str, str], details: list[str | Link]
) -> list[list[str | Fact | Link]]:
    """Return a line of a wording as paragraphs, one for each line of the details that it names."""
    before, _, after = (_filled_in(part, values) for part in line.partition(f"{{{DETAILS}}}"))
    if not details:
        return [[before + after]] if (before + after).strip() else []
    paragraphs: list[list[str | Fact | Link]] = [[one] for one in details]
    if before.strip():
        first = details[0]
        paragraphs[0] = [before + first] if isinstance(first, str) else [before, first]
    if after.strip():
        last = paragraphs[-1][-1]
        paragraphs[-1][-1:] = [last + after] if isinstance(last, str) else [last, after]
    return paragraphs


def _without_links(line: Line) -> str | Link:
    if isinstance(line, str):
        return without_links(line)
    label = without_links(line.label)
    return Link(label, line.url) if _is_own(line.url) else without_links(f"{label}: {line.url}")


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
