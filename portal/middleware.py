"""Answers probes from anywhere, and requests while the database is unreachable."""

from collections.abc import Callable

from django.db import Error, InternalError, connection, connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import get_template
from django.urls import Resolver404, resolve

from integrations.models.db_retry import DATABASE_OUTAGE
from portal.process import database_waits

RETRY_AFTER_SECONDS = "5"
#: How long a webhook waits for the database: longer than a migration makes it wait, and less than any sender waits.
WEBHOOK_SECONDS = 4.0


class ProbeMiddleware:
    """Answers probes and scrapes before any other middleware.

    They come by IP address and without TLS, so that neither ALLOWED_HOSTS nor the redirect to HTTPS may apply.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a probe; pass on everything else."""
        path = request.path_info
        if not (path.startswith("/healthz/") or path == "/metrics"):
            return self.get_response(request)
        try:
            view, args, kwargs = resolve(path)
        except Resolver404:
            return HttpResponse(status=404)
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer


class WebhookMiddleware:
    """Answers webhooks before the middleware of pages: they need no session and no form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a webhook to an allowed host; pass on everything else. Raises DisallowedHost."""
        if not request.path_info.startswith("/webhooks/"):
            return self.get_response(request)
        with database_waits.at_most(WEBHOOK_SECONDS):
            return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        request.get_host()
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        request.resolver_match = match
        try:
            answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
        except Error as error:
            if not is_outage(error):
                raise
            return unavailable(request)
        # CommonMiddleware does this for pages; without it the server would close the connection after the answer
        answer.headers.setdefault("Content-Length", str(len(answer.content)))
        return answer


class DatabaseUnavailableMiddleware:
    """Answers 503 instead of 500 while the database can't be reached, so that senders try again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request; errors of other middleware's own queries are caught here too."""
        try:
            return self.get_response(request)
        except Error as error:
            if not is_outage(error):
                raise
            return unavailable(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn a view's database outage into 503."""
        return unavailable(request) if is_outage(exception) else None


def is_outage(exception: Exception) -> bool:
    """Whether the database is unreachable or ended the connection, which PostgreSQL reports as an internal error."""
    is_ended = isinstance(exception, InternalError) and not connection.is_usable()
    return is_ended or isinstance(exception, DATABASE_OUTAGE)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Close the connections that the outage broke. Return 503 with Retry-After, as a page where HTML is accepted."""
    for database in connections.all(initialized_only=True):
        database.close_if_unusable_or_obsolete()
    response: HttpResponse
    if request.accepts("text/html") and "text/html" in request.headers.get("Accept", ""):
        response = HttpResponse(get_template("503.html").render(), status=503)
    else:
        response = JsonResponse({"detail": "The database is not available; try again shortly."}, status=503)
    response["Retry-After"] = RETRY_AFTER_SECONDS
    return response
