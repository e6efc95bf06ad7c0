"""Turn a wording and the values of its variables into what is sent: a subject, plain text and HTML.

A line whose variables are all empty is left out, so that one wording serves results with and without a report.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string

from integrations.models import Organization
from integrations.workflow.email.blocks import blocks, links_on_own_lines
from integrations.workflow.email.colours import DARK_CARD, Palette, palette
from integrations.workflow.email.kinds import EmailWording

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
    """Return a text that looks the same, and of which no mail program makes a link but of the portal's own addresses.

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
