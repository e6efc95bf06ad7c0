"""The content security policy of pages with a Connect button."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings


def connect_policy() -> dict[str, Any]:
    """Return the site's policy with Lever's authorization server added to `form-action`.

    `form-action` covers the redirects after a POST: without this the browser blocks the button silently.
    """
    parts = urlsplit(settings.LEVER_AUTH_URL)
    return {
        **settings.SECURE_CSP,
        "form-action": [*settings.SECURE_CSP["form-action"], f"{parts.scheme}://{parts.netloc}"],
    }
