"""The middleware that shows each page in its reader's time zone."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from integrations.pages.time_zones import page_time_zone

#: The admin shows UTC and says so; webhooks and probes show no times.
_ALWAYS_UTC = ("/admin/", "/webhooks/", "/healthz/", "/metrics")


class TimeZoneMiddleware:
    """Activate the reader's time zone while a page is rendered; `request.time_zone` holds it and its source."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request; a streamed answer is produced later, in UTC."""
        if request.path.startswith(_ALWAYS_UTC):
            return self.get_response(request)
        zone = page_time_zone(request)
        request.time_zone = zone  # type: ignore[attr-defined]
        with timezone.override(zone.name):
            return self.get_response(request)
