"""The filters of the pages' templates."""

from collections.abc import Mapping

from django.template import Library

from portal.devtools.sandbox import values

register = Library()
register.filter(values.readable)


@register.filter
def of(key: str, items: Mapping[str, object]) -> object:
    """Return the item under a key, None if there is none."""
    return items.get(key)
