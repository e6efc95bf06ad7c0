"""Turn a wording and its variables into an e-mail: subject, plain text, and HTML in the organization's colours."""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string

from integrations.notifications.models.email_kind import EmailWording
from integrations.organizations.models.organization import Organization

# Read a text as an e-mail shows it: paragraphs, facts in two columns, and links with what they lead to.


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


# The colours of an e-mail: an organization's own one, made darker or lighter until text in it can be read.


WHITE, BLACK = "#ffffff", "#000000"
CARD, DARK_CARD = WHITE, "#18211f"
#: WCAG's least contrast for text.
READABLE = 4.5
_STEPS = 20


@dataclass(frozen=True)
class Palette:
    """The colours of links and of the button, on a light and on a dark ground."""

    brand: str
    link: str
    dark_link: str
    on_link: str
    on_dark_link: str


def palette(brand: str) -> Palette:
    """Return the colours of e-mails in an organization's colour."""
    link, dark_link = _readable(brand, CARD, BLACK), _readable(brand, DARK_CARD, WHITE)
    return Palette(brand, link, dark_link, _text_on(link), _text_on(dark_link))


def contrast(first: str, second: str) -> float:
    """Return WCAG's contrast of two colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: str, ground: str, towards: str) -> str:
    """Return the colour, mixed with black or white as little as makes it readable on the ground."""
    mixed = (_mixed(colour, towards, step / _STEPS) for step in range(_STEPS))
    return next((one for one in mixed if contrast(one, ground) >= READABLE), towards)


def _text_on(ground: str) -> str:
    return max((WHITE, BLACK), key=lambda text: contrast(text, ground))


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


# Turn a wording and the values of its variables into what is sent: a subject, plain text and HTML.
#
# A line whose variables are all empty is left out, so that one wording serves results with and without a report.


VARIABLE = re.compile(r"\{([^{}\n]{0,60})\}")
LONGEST_SUBJECT_LINE = 300
PORTAL_COLOUR = "#0f5c63"

#: The variables whose values are links that the portal makes or CodeScreen gives.
LINK_VARIABLES = frozenset({"settings_link", "timeline_link", "report_link"})
#: What mail programs make a link of; also with the dots of other scripts, which browsers read as dots.
_LINK_LIKE = re.compile(r"://|\bwww\.|\w[.。．｡][^\W\d_]{2,}")
_ADDRESS = re.compile(r"[(<]?[^\s@/:]+@[\w.-]+[)>.,;:]*")
_SEPARATOR = re.compile(r"[.。．｡:/]")
_INVISIBLE = "\u200b"  # a zero-width space

#: Without variables: fits the e-mail to narrow screens and breaks long links. A mail program that ignores styles shows
#: 600 pixels, in light colours.
_LAYOUT = (
    ":root{color-scheme:light dark;supported-color-schemes:light dark}body{margin:0;padding:0}"
    ".message{width:100%;max-width:600px}.message td{overflow-wrap:anywhere;word-break:break-word}"
    ".message img{max-width:100%;border:0}.message font{line-height:1.5}.around{padding:24px 12px}"
    ".inside{padding:28px 32px}.sender{margin:0 0 20px}h1{font-size:22px;line-height:1.3;margin:0 0 20px}"
    ".message p{margin:0 0 14px}.message .to{margin-bottom:26px}.facts{margin:0 0 18px}"
    ".facts .label{padding-left:0;padding-right:24px;white-space:nowrap}"
    ".action{margin:20px 0}.action td{border-radius:6px}.button a{text-decoration:none}"
    ".end{border-top:1px solid #dfe5e3;margin-top:28px;padding-top:16px}.end p{margin:0 0 8px}"
    "@media (max-width:480px){.around{padding:0}.inside{padding:22px 20px}}"
)


def style(organization: Organization | None) -> str:
    """Return the e-mail's style sheet, with the organization's colour made readable in light and in dark."""
    colours = palette_of(organization)
    return (
        f"{_LAYOUT}a{{color:{colours.link}}}@media (prefers-color-scheme:dark){{"
        ".page{background-color:#0f1514!important}"
        f".message{{background-color:{DARK_CARD}!important}}"
        ".ink{color:#e8efed!important}.quiet{color:#a9b8b4!important}.end{border-top-color:#33403d}"
        f"a,.link{{color:{colours.dark_link}!important}}"
        f".button{{background-color:{colours.dark_link}!important}}.on{{color:{colours.on_dark_link}!important}}}}"
    )


def palette_of(organization: Organization | None) -> Palette:
    """Return the colours of an organization's e-mails; the portal's own where it isn't branded."""
    return palette(organization.brand_colour if organization else PORTAL_COLOUR)


@dataclass(frozen=True)
class RenderedEmail:
    """A subject of one line and a plain text, as they are sent."""

    subject: str
    body: str


@dataclass(frozen=True)
class ComposedEmail:
    """An e-mail that is ready to be sent, and for each address the link to unsubscribe, empty where there is none.

    One to a stranger isn't branded: what an organization writes and draws reaches only people who joined it.
    """

    content: RenderedEmail
    unsubscribe_links: Mapping[str, str]
    is_branded: bool = True


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its variables filled in; a line whose variables are all empty is left out."""
    lines = []
    for line in text.split("\n"):
        names = [name for name in VARIABLE.findall(line) if name in values]
        if names and not any(values[name] for name in names):
            continue
        lines.append(VARIABLE.sub(lambda match: values.get(match[1], match[0]), line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def without_links(text: str) -> str:
    """Return a text that looks the same; mail programs make links only of the portal's own addresses.

    Candidates choose their names: one that is an address would be a link in an e-mail that the team trusts.
    """
    return re.sub(r"\S+", lambda match: _unlinked(match[0]), text)


def _unlinked(word: str) -> str:
    is_own = word.startswith(f"{settings.PORTAL_URL}/")
    if is_own or _ADDRESS.fullmatch(word) or not _LINK_LIKE.search(word):
        return word
    return _SEPARATOR.sub(rf"{_INVISIBLE}\g<0>{_INVISIBLE}", word)


def render(wording: EmailWording, values: Mapping[str, str]) -> RenderedEmail:
    """Return the wording with its variables filled in; what isn't the portal's own is no link."""
    values = {
        name: value if name in LINK_VARIABLES else without_links(value) for name, value in values.items()
    }
    subject = " ".join(fill_in(wording.subject, values).split())
    return RenderedEmail(subject[:LONGEST_SUBJECT_LINE], fill_in(wording.body, values))


def signature(organization: Organization | None) -> str:
    """Return the organization's signature, which ends every e-mail; the portal's own where it isn't branded."""
    if organization is None:
        return "CodeScreen–Lever portal"
    return organization.brand_signature.strip() or f"{organization.name}, CodeScreen–Lever portal"


def as_text(email: RenderedEmail, organization: Organization | None, unsubscribe: str = "") -> str:
    """Return the plain text with the signature and the link to unsubscribe, if there is one."""
    parts = [links_on_own_lines(email.body), f"— {signature(organization)}"]
    if unsubscribe:
        parts.append(f"Stop these e-mails:\n{unsubscribe}")
    return "\n\n".join(parts)


def as_html(email: RenderedEmail, organization: Organization | None, unsubscribe: str = "") -> str:
    """Return the same as HTML in the organization's colours; it is made from the text, so nothing in it is markup."""
    context = {
        "email": email,
        "blocks": blocks(email.body),
        "palette": palette_of(organization),
        "organization": organization,
        "signature": signature(organization),
        "style": style(organization),
        "unsubscribe": unsubscribe,
        "portal": settings.PORTAL_URL,
    }
    return render_to_string("email/message.html", context)


def style_source(organization: Organization | None) -> str:
    """Return the source by which a content security policy allows the e-mail's style element and no other."""
    digest = hashlib.sha256(style(organization).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def logo_origin(organization: Organization) -> str:
    """Return the origin of the organization's logo, empty without one over HTTPS."""
    parts = urlsplit(organization.brand_logo_url)
    return f"https://{parts.netloc}" if parts.scheme == "https" and parts.netloc else ""
