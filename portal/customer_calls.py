"""The middleware that bounds what a request may wait for customers' own servers, and answers one that may not."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from integrations.http import customer_calls

RETRY_SECONDS = 3


class CustomerCallsMiddleware:
    """Counts each request's calls to customers' servers as its own, and answers 429 when there are too many."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request."""
        with customer_calls.of_request():
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Say that it is to be tried again. A page that a provider led to is loaded again: nothing was asked yet."""
        if not isinstance(exception, customer_calls.TooManyCalls):
            return None
        response = render(request, "busy.html", {"seconds": RETRY_SECONDS}, status=429)
        response["Retry-After"] = str(RETRY_SECONDS)
        if request.method == "GET":
            response["Refresh"] = str(RETRY_SECONDS)
        return response
