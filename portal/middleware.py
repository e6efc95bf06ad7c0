"""The portal's middleware: ids, webhooks, probes, outages, headers, slots, time zones, forms."""

import re
import sys
from collections.abc import Callable

from django.conf import settings
from django.core.signals import request_finished
from django.db import Error, InternalError, connection, connections
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.template.loader import get_template
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.csp import build_policy
from django.views import defaults
from rest_framework.response import Response

from integrations.core import correlation, slots
from integrations.pages.times import page_time_zone
from integrations.store.database import DATABASE_OUTAGE, trust_connection


class Middleware:
    """What stands between the web server and a view; a subclass does something before or after the rest answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


#: An id that a proxy may give: short enough for the columns, and not the id of a delivery.
_GIVEN_ID = re.compile(rf"(?!{correlation.of_delivery('')})[A-Za-z0-9._-]{{1,40}}")


class RequestIdMiddleware(Middleware):
    """Gives the answer, the lines of the log and what the request leads to one id: the one that came, or a new one."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        with correlation.use(given if _GIVEN_ID.fullmatch(given) else ""):
            # Django logs some answers after the outermost middleware
            request.META["HTTP_X_REQUEST_ID"] = correlation.current()
            response = self.get_response(request)
        response.headers["X-Request-ID"] = request.META["HTTP_X_REQUEST_ID"]
        return response


RETRY_AFTER_SECONDS = 5


class ProbeMiddleware(Middleware):
    """Answers probes and scrapes before any other middleware.

    They come by IP address and without TLS, so that neither ALLOWED_HOSTS nor the redirect to HTTPS may apply.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if not (path.startswith("/healthz/") or path == "/metrics"):
            return self.get_response(request)
        try:
            view, args, kwargs = resolve(path)
        except Resolver404:
            return HttpResponse(status=404)
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer


class WebhookMiddleware(Middleware):
    """Answers webhooks before the middleware of pages: they need no session and no form."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a webhook to an allowed host; pass on everything else. Raises DisallowedHost."""
        if not request.path_info.startswith("/webhooks/"):
            return self.get_response(request)
        request.get_host()
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        request.resolver_match = match
        # a webhook that meets a dead connection gets 503, and its sender comes again
        trust_connection()
        try:
            answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
        except Error as error:
            if not is_outage(error):
                raise
            return unavailable(request)
        if isinstance(answer, Response):  # a refusal
            answer.render()
        # CommonMiddleware does this for pages; without it the server would close the connection after the answer
        answer.headers.setdefault("Content-Length", str(len(answer.content)))
        return answer


class DatabaseUnavailableMiddleware(Middleware):
    """Answers 503 instead of 500 while the database can't be reached, so that senders try again."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn a view's database outage into 503."""
        return unavailable(request) if is_outage(exception) else None


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer 503 where a middleware's own query met the outage, else 500; Django calls it in the error's handler."""
    error = sys.exc_info()[1]
    return unavailable(request) if error and is_outage(error) else defaults.server_error(request)


def is_outage(exception: BaseException) -> bool:
    """Whether the database is unreachable or ended the connection, which PostgreSQL reports as an internal error."""
    is_ended = isinstance(exception, InternalError) and not connection.is_usable()
    return is_ended or isinstance(exception, DATABASE_OUTAGE)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Close the connections that the outage broke. Return 503 with Retry-After, as a page where HTML is accepted."""
    for database in connections.all(initialized_only=True):
        database.close_if_unusable_or_obsolete()
    sentence = "The database is not available; try again shortly."
    return come_again(request, "503.html", sentence, 503, RETRY_AFTER_SECONDS)


def come_again(request: HttpRequest, page: str, sentence: str, status: int, seconds: int) -> HttpResponse:
    """Return an answer with Retry-After: a page that reads no session where HTML is accepted, else JSON."""
    context = {"seconds": seconds, "is_loaded_again": request.method == "GET"}
    response: HttpResponse
    if request.accepts("text/html") and "text/html" in request.headers.get("Accept", ""):
        response = HttpResponse(get_template(page).render(context), status=status)
    else:
        code = "unavailable" if status == 503 else "busy"
        response = JsonResponse({"detail": sentence, "code": code}, status=status)
    response["Retry-After"] = str(seconds)
    return response


#: What browsers may use on our pages: passkeys and copying. The features in _OFF are forbidden.
_ON = "clipboard-write publickey-credentials-create publickey-credentials-get"
_OFF = (
    "accelerometer autoplay camera clipboard-read display-capture encrypted-media fullscreen geolocation gyroscope hid "
    "magnetometer microphone midi payment picture-in-picture screen-wake-lock serial usb xr-spatial-tracking"
)
PERMISSIONS_POLICY = ", ".join(
    [*(f"{feature}=()" for feature in _OFF.split()), *(f"{feature}=(self)" for feature in _ON.split())]
)
#: Of every answer: of views, of middleware and of errors.
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NO_STORE = "no-store"


class ResponseHeadersMiddleware(Middleware):
    """Adds what an answer lacks; all but outermost, so that probes, refusals and outages have it too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        super().__init__(get_response)
        self._policy = build_policy(settings.SECURE_CSP)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request. Browsers and proxies keep an answer only where it says itself that it is public."""
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", self._policy)
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            response.headers.setdefault(
                "Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}"
            )
        control = response.headers.get("Cache-Control", "")
        if "public" not in control and NO_STORE not in control:
            patch_cache_control(response, no_store=True)
        return response


class CompressionMiddleware(GZipMiddleware):
    """Compresses what browsers may have compressed, with Django's padding against guesses by the length (BREACH).

    The pages of second factors show secrets, and are django-allauth's: none of them is compressed, here or by a proxy.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the answer compressed; one that shows a secret says that it mustn't be, and is returned as it is."""
        if request.path.startswith("/accounts/2fa/"):
            patch_cache_control(response, no_transform=True)
        if "no-transform" in response.headers.get("Cache-Control", ""):
            return response
        return super().process_response(request, response)


class SlotsMiddleware(Middleware):
    """Bounds costly work in a request, and answers 429 where no slot is free."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        slots.begin_request()
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Ask to try again later. The browser loads a page again itself: nothing was done yet."""
        if not isinstance(exception, slots.Busy):
            return None
        sentence = "The portal is busy with other such requests; nothing was changed. Try again shortly."
        response = come_again(request, "busy.html", sentence, 429, slots.RETRY_SECONDS)
        if request.method == "GET":
            response["Refresh"] = response["Retry-After"]
        return response


@receiver(request_finished)
def give_slots_back(**_: object) -> None:
    """Give back what a request held. The server has sent its answer to the end, or the client has gone."""
    slots.end_request()


#: The admin shows UTC and says so; webhooks and probes show no times.
_ALWAYS_UTC = ("/admin/", "/webhooks/", "/healthz/", "/metrics")


class TimeZoneMiddleware(Middleware):
    """Activate the reader's time zone while a page is rendered; `request.time_zone` is its name."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request; a streamed answer is produced later, in UTC."""
        if request.path.startswith(_ALWAYS_UTC):
            return self.get_response(request)
        zone = page_time_zone(request)
        request.time_zone = zone  # type: ignore[attr-defined]
        with timezone.override(zone):
            return self.get_response(request)


#: PostgreSQL stores no NUL characters, and no browser's form sends any.
NUL = "\x00"


def has_unstorable_text(request: HttpRequest) -> bool:
    """Whether a NUL character is in the path, the query or the form, in a field's name or in its value."""
    if NUL in request.path_info:
        return True
    return any(
        NUL in name or any(NUL in value for value in values)
        for sent in (request.GET, request.POST)
        for name, values in sent.lists()
    )


class FormMiddleware(Middleware):
    """Answers 413 to a body that is larger than any form of the portal, without reading it; reads forms that aren't.

    What can't be read, or holds text that can't be stored, is answered 400.

    The webhook endpoints have their own limit, and check it in the order that their senders rely on.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on what is small enough, webhooks, and what programs ask: they get JSON, and send no body."""
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if request.path_info.startswith(("/webhooks/", "/api/")):
            return self.get_response(request)
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return HttpResponse(get_template("413.html").render(), status=413)
        try:
            # read here, a malformed form is answered 400 by every page
            is_readable = not has_unstorable_text(request)
        except UnreadablePostError:
            is_readable = False
        if not is_readable:
            return HttpResponse(get_template("400.html").render(), status=400)
        return self.get_response(request)
