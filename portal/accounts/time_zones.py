"""Show each page in its reader's time zone."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from integrations.pages import time_zones

#: Its times are UTC, and it says so; webhooks and probes show no times.
_IN_UTC = ("/admin/", "/webhooks/", "/healthz/", "/metrics")


class TimeZoneMiddleware:
    """Make the reader's zone the current one while a page is made; `request.time_zone` says which and why."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; what is streamed is made afterwards, in UTC."""
        if request.path.startswith(_IN_UTC):
            return self.get_response(request)
        zone = time_zones.shown(request)
        request.time_zone = zone  # type: ignore[attr-defined]
        with timezone.override(zone.name):
            return self.get_response(request)
