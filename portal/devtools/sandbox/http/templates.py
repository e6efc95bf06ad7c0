"""HTML pages, rendered with Django's template engine used as a library."""

import os
from functools import cache
from pathlib import Path

from django.conf import settings
from django.template import Context, Engine

from portal.devtools.sandbox.http.responses import Response, html_response

FOLDER = Path(__file__).parents[1] / "templates"


@cache
def engine() -> Engine:
    """Return the template engine over the sandbox's own templates."""
    # Rendering a number asks Django for its settings. Inside a test session they are there already; when
    # the sandbox runs alone, the defaults will do.
    if not settings.configured and "DJANGO_SETTINGS_MODULE" not in os.environ:
        settings.configure()
    return Engine(dirs=[str(FOLDER)], autoescape=True)


def render(template: str, context: dict[str, object], status: int = 200) -> Response:
    """Return a page."""
    text = engine().get_template(template).render(Context(context, use_l10n=False))
    return html_response(text, status)
