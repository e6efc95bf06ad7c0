"""What many pages are made of: the heads of tables, lists to choose from, and the topics of the help."""

from collections.abc import Iterable

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def table_head(caption: str, *columns: str, is_shown: bool = False) -> SafeString:
    """Return a table's caption and the heads of its columns; one in parentheses, as "(Actions)", is only read out."""
    read_out = '<span class="visually-hidden">{}</span>'
    heads = (format_html(read_out, one[1:-1]) if one.startswith("(") else one for one in columns)
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


@register.simple_block_tag
def topic(content: str, anchor: str, heading: str) -> SafeString:
    """Return a part of the help that opens at its heading, or when a link leads to its anchor."""
    return format_html(
        '<details class="card"><summary><h2>{}</h2></summary><div id="{}">{}</div></details>',
        heading,
        anchor,
        content,
    )
