"""The headers that every answer of the portal has: of views, of middleware and of errors."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.csp import build_policy

#: What browsers may use on our pages: passkeys and copying. Everything else that Chromium knows is off.
PERMISSIONS_POLICY = ", ".join(
    [
        *(
            f"{feature}=()"
            for feature in (
                "accelerometer",
                "autoplay",
                "camera",
                "clipboard-read",
                "display-capture",
                "encrypted-media",
                "fullscreen",
                "geolocation",
                "gyroscope",
                "hid",
                "magnetometer",
                "microphone",
                "midi",
                "payment",
                "picture-in-picture",
                "screen-wake-lock",
                "serial",
                "usb",
                "xr-spatial-tracking",
            )
        ),
        *(
            f"{feature}=(self)"
            for feature in ("clipboard-write", "publickey-credentials-create", "publickey-credentials-get")
        ),
    ]
)
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NO_STORE = "no-store"


class ResponseHeadersMiddleware:
    """Adds what an answer lacks; the outermost middleware, so that probes, refusals and outages have it too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request; nothing but static files and what says so itself is kept by browsers or proxies."""
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", build_policy(settings.SECURE_CSP))
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            response.headers.setdefault("Strict-Transport-Security", strict_transport_security())
        if not may_be_kept(response):
            response["Cache-Control"] = NO_STORE
        return response


def may_be_kept(response: HttpResponse) -> bool:
    """Whether the answer is declared public, or already says that it mustn't be stored."""
    control = response.headers.get("Cache-Control", "")
    return "public" in control or NO_STORE in control


def strict_transport_security() -> str:
    """Return the header by which browsers use HTTPS alone, as SecurityMiddleware writes it."""
    subdomains = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
    return f"max-age={settings.SECURE_HSTS_SECONDS}{subdomains}"
