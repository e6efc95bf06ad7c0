"""The addresses of Lever's own pages, for links that people follow.

Source: https://hire.lever.co/developer/documentation (Opportunities, `urls`).
"""

from urllib.parse import quote, urlsplit, urlunsplit

from django.conf import settings


def candidate_page(opportunity_id: str) -> str:
    """Return the address of the candidate in Lever: on the `hire` host that belongs to the configured API's host."""
    api = urlsplit(settings.LEVER_API_URL)
    is_lever = api.netloc.startswith("api.")
    host = f"hire.{api.netloc.removeprefix('api.')}" if is_lever else api.netloc
    return urlunsplit((api.scheme, host, f"/candidates/{quote(opportunity_id, safe='')}", "", ""))
