"""What templates call, without loading it: the parts that many pages have, the drawings of icons, and times."""

from collections.abc import Iterable
from datetime import UTC, datetime
from math import ceil

from django import template
from django.template import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from integrations.core.act import Act
from integrations.health.findings import lasting as in_one_unit
from integrations.notifications.account_notices import askable, asked, names_of, recent_request, who_may

register = template.Library()

#: By name, what is drawn by a line of two units on a square of 24.
DRAWINGS = {
    "chart": '<path d="M4 4v16h16"/><path d="M9 16v-4M13.5 16V8M18 16v-6"/>',
    "check": '<path d="m5 12.5 4.5 4.5L19 7.5"/>',
    "chevron": '<path d="m7 9.5 5 5 5-5"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.5 2"/>',
    "download": '<path d="M12 4v11m-4.5-4.5L12 15l4.5-4.5M5 20h14"/>',
    "edit": '<path d="m5 19 1-4.5L16.5 4l3.5 3.5L9.5 18zM14 6.5l3.5 3.5"/>',
    "external-link": '<path d="M11 5H5v14h14v-6"/><path d="M14.5 4H20v5.5M20 4l-9 9"/>',
    "filter": '<path d="M4 6h16M7 12h10M10 18h4"/>',
    "health": '<path d="M3 12h4l2.5-6.5 5 13L17 12h4"/>',
    "help": '<circle cx="12" cy="12" r="8.5"/><path d="M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7"/>'
    '<path d="M12 16.7v.1"/>',
    "home": '<path d="m4 11.5 8-7.5 8 7.5"/><path d="M6 10v10h4.5v-5.5h3V20H18V10"/>',
    "info": '<circle cx="12" cy="12" r="8.5"/><path d="M12 11.5V16M12 8v.1"/>',
    "key": '<circle cx="8" cy="15.5" r="4"/><path d="M11 12.5 19.5 4M16 7.5l3 3"/>',
    "link": '<path d="M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L12 6.3"/>'
    '<path d="M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7L12 17.7"/>',
    "list": '<path d="M9 6h11M9 12h11M9 18h11M4.5 6v.1M4.5 12v.1M4.5 18v.1"/>',
    "mail": '<rect x="3.5" y="5.5" width="17" height="13" rx="2"/><path d="m4 7.5 8 6 8-6"/>',
    "menu": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "notifications": '<path d="M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15z"/><path d="M10 21.5h4M12 5V3"/>',
    "pause": '<path d="M8.5 5.5v13M15.5 5.5v13"/>',
    "people": '<circle cx="9" cy="8" r="3.5"/><path d="M2.5 19.5a6.5 6.5 0 0 1 13 0"/>'
    '<path d="M15.5 4.9a3.5 3.5 0 0 1 0 6.2M18 14a6.5 6.5 0 0 1 3.5 5.5"/>',
    "person": '<circle cx="12" cy="8" r="3.8"/><path d="M4.5 20a7.5 7.5 0 0 1 15 0"/>',
    "play": '<path d="M8 5.5v13l10.5-6.5z"/>',
    "refresh": '<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9"/><path d="M19.5 4v5h-5"/>',
    "search": '<circle cx="10.5" cy="10.5" r="6"/><path d="m15 15 5 5"/>',
    "send": '<path d="m20.5 3.5-6.5 17-3.5-7-7-3.5z"/><path d="m20.5 3.5-10 10"/>',
    "settings": '<path d="M4 7h8m5 0h3M4 17h3m5 0h8"/><circle cx="14.5" cy="7" r="2.5"/>'
    '<circle cx="9.5" cy="17" r="2.5"/>',
    "shield": '<path d="m12 3.5 7.5 3v5c0 4.5-3 7.7-7.5 9-4.5-1.3-7.5-4.5-7.5-9v-5z"/>'
    '<path d="m9 12 2.2 2.2L15.2 10"/>',
    "sign-out": '<path d="M13 4.5H5.5v15H13"/><path d="M10 12h10.5m-4-4 4 4-4 4"/>',
    "trash": '<path d="M4.5 7h15M9.5 7V4h5v3M6.5 7l1 13h9l1-13M10.5 11v5M13.5 11v5"/>',
    "user": '<circle cx="12" cy="12" r="8.5"/><circle cx="12" cy="10" r="2.7"/>'
    '<path d="M6.7 18.5a6 6 0 0 1 10.6 0"/>',
    "warning": '<path d="M12 4 2.5 20h19z"/><path d="M12 10v4.5M12 17.2v.1"/>',
    "x": '<path d="m6 6 12 12M18 6 6 18"/>',
}
_FORMAT = "%-d %B %Y, %H:%M:%S"


@register.simple_tag
def drawing(name: str) -> SafeString:
    """Return what is inside the icon's <svg>, nothing for a name without a drawing."""
    return mark_safe(DRAWINGS.get(name, ""))  # noqa: S308


# the heads of tables, lists to choose from, and the topics of the help


@register.simple_tag
def table_head(caption: str, *columns: str, is_shown: bool = False) -> SafeString:
    """Return a table's caption and the heads of its columns, but for empty ones.

    One in parentheses, as "(Actions)", is only read out.
    """
    read_out = '<span class="visually-hidden">{}</span>'
    heads = (format_html(read_out, one[1:-1]) if one.startswith("(") else one for one in columns if one)
    return format_html(
        '<caption class="{}">{}</caption><thead><tr>{}</tr></thead>',
        "" if is_shown else "visually-hidden",
        caption,
        format_html_join("", '<th scope="col">{}</th>', ((one,) for one in heads)),
    )


@register.simple_tag
def choice_field(
    name: str, label: str, choices: Iterable[tuple[str, str]], chosen: str, nothing: str = ""
) -> SafeString:
    """Return a list to choose one of, with its label; `nothing` is what the choice of none is called, if any."""
    every = [("", nothing), *choices] if nothing else choices
    options = ((value, SafeString(" selected" if value == chosen else ""), words) for value, words in every)
    return format_html(
        '<div class="field"><label for="{0}">{1}</label><select id="{0}" name="{0}">{2}</select></div>',
        name,
        label,
        format_html_join("", '<option value="{}"{}>{}</option>', options),
    )


@register.simple_tag
def search_field(label: str, value: str = "", hint: str = "", anchor: str = "q") -> SafeString:
    """Return a field for what a list is searched by, with its label; `hint` stands in the empty field."""
    return format_html(
        '<div class="field search"><label for="{0}">{1}</label>'
        '<input type="search" id="{0}" name="q" value="{2}" placeholder="{3}"></div>',
        anchor,
        label,
        value,
        hint,
    )


@register.simple_tag
def check_field(name: str, label: str, help_text: str, is_checked: object) -> SafeString:
    """Return a box to tick, with its label and what it means."""
    return format_html(
        '<div class="field is-check"><input type="checkbox" id="{0}" name="{0}" aria-describedby="{0}-help"{1}>'
        '<label for="{0}">{2}</label><div class="helptext" id="{0}-help">{3}</div></div>',
        name,
        SafeString(" checked" if is_checked else ""),
        label,
        help_text,
    )


@register.simple_block_tag
def topic(content: str, anchor: str, heading: str) -> SafeString:
    """Return a part of the help that opens at its heading, or when a link leads to its anchor."""
    return format_html(
        '<details class="card"><summary><h2>{}</h2></summary><div id="{}">{}</div></details>',
        heading,
        anchor,
        content,
    )


@register.simple_block_tag(takes_context=True)
def confirm(
    context: Context, content: str, button: str, page: str, *keys: object, opener: str, about: str = ""
) -> SafeString:
    """Return a button that asks in place: behind the opener stand what the act does, and the button that does it.

    `about` is read out with the opener, where several acts have the same. It works without JavaScript.
    """
    return format_html(
        '<details><summary>{}<span class="visually-hidden"> {}</span></summary><form method="post" action="{}">'
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}">{}'
        '<button type="submit" class="danger">{}</button></form></details>',
        opener,
        about,
        reverse(page, args=keys),
        context.get("csrf_token", ""),
        content,
        button,
    )


# asking those who may do what the reader may not


@register.inclusion_tag("partials/ask.html", takes_context=True)
def ask(context: Context, code: str, opportunity_id: str = "") -> dict[str, object]:
    """Offer to ask who may do an act, or say who was asked; nothing for who may do it."""
    member, act = context.get("membership"), Act(code)
    if not member or member.may(act.record.needs):
        return {}
    email = recent_request(member, act, opportunity_id)
    recipients = [] if email else askable(member.organization, act)
    may = [] if email else recipients or who_may(member.organization, act)
    return {
        "act": act,
        "membership": member,
        "email": email,
        "who_was_asked": names_of(asked(email), "and") if email else "",
        "who_may": names_of(may, "or"),
        "can_ask": bool(recipients),
        "opportunity_id": opportunity_id,
        "request": context["request"],
    }


# times; every age is in one unit


@register.filter
def exact_time(at: datetime) -> str:
    """Return a time to the second in the reader's time zone and in UTC."""
    in_utc = f"{at.astimezone(UTC):{_FORMAT}} UTC"
    local = timezone.localtime(at)
    if not local.utcoffset():
        return in_utc
    return f"{local:{_FORMAT}} in {timezone.get_current_timezone()} · {in_utc}"


@register.filter
def iso_utc(at: datetime) -> str:
    """Return a time in UTC as ISO 8601, for the `datetime` attribute."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@register.filter
def lasting(seconds: float) -> str:
    """Return how long something took, at least a second."""
    return in_one_unit(max(1, ceil(seconds)))


@register.filter
def age(since: datetime, until: datetime | None = None) -> str:
    """Return how long it is from a time to another, or to now."""
    seconds = ((until or timezone.now()) - since).total_seconds()
    return in_one_unit(seconds) if seconds >= 60 else "less than a minute"


@register.filter
def ago(at: datetime) -> str:
    """Return how long ago something was."""
    return f"{age(at)} ago" if (timezone.now() - at).total_seconds() >= 60 else "just now"


@register.filter
def ahead(at: datetime) -> str:
    """Return in how long something will be."""
    left = (at - timezone.now()).total_seconds()
    if left >= 60:
        return f"in {in_one_unit(left)}"
    return "in less than a minute" if left > 0 else "now"


#: What a browser says it is, and its name. Many name others too, so the first that is found counts.
_BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@register.filter
def browser_name(user_agent: str) -> str:
    """Return the browser and the system in plain words; nothing else of the text, which anybody may choose."""
    browser, system = (
        next((name for word, name in names.items() if word in user_agent), "")
        for names in (_BROWSERS, _SYSTEMS)
    )
    return " on ".join(filter(None, [browser or "Unknown browser", system]))
